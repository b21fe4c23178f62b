//! `stormglass watch`: the answer of an experiment, again on each save of what it reads.

#![expect(clippy::disallowed_types, reason = "a file that was saved again has another time")]

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::interrupt::on_interrupt;
use super::load::load_noting;
use super::plan::preflight;
use super::run::answer_to;
use super::{Failure, INTERRUPTED, InputArguments, output, progress, workers};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::seeds::Seeds;
use crate::model::problem::Problem;
use crate::report::capacity::planned_calm;
use crate::report::comparison::baseline_text;
use crate::report::number::several;
use crate::report::table::wrap;

/// What `watch` is told.
#[derive(Debug, clap::Args)]
pub(super) struct WatchArguments {
    #[command(flatten)]
    input: InputArguments,
}

/// After so many seeds the answer is printed before all have run: three are the fewest that have
/// an interval.
const FIRST: [u64; 2] = [3, 10];
/// How long it rests between two looks at the files.
const REST: Duration = Duration::from_millis(100);

/// Prints the answer of an experiment, and again whenever a file is saved that it reads. What is
/// wrong is told, and it waits on; only Ctrl-C and a reader who goes away end it.
pub(super) fn watch(arguments: &WatchArguments) -> Result<(), Failure> {
    on_interrupt(|| std::process::exit(INTERRUPTED.into()))?;
    if !arguments.input.experiment.exists() {
        let file = arguments.input.experiment.display();
        let problem = Problem::new(format!("cannot read `{file}`: there is no such file"));
        return Err(problem.expected("the path of an experiment").into());
    }
    let mut files = Files::new(&arguments.input.experiment);
    let mut last_error = String::new();
    let screen = Screen(output::is_terminal().then(console::Term::stdout));
    loop {
        screen.clear();
        match answer(arguments, &mut files, &screen) {
            Ok(Round::Unread) => return Ok(()),
            Ok(Round::Answered | Round::Saved) => last_error.clear(),
            Err(Failure::Input(text)) => {
                // What is missing may come, and nobody wants to read the same twice.
                files.look_around();
                if text != last_error || screen.0.is_some() {
                    output::error(&format!("{text}\nwaits for the next save (Ctrl-C ends it)"));
                }
                last_error = text;
            }
            Err(failure) => return Err(failure),
        }
        files.wait();
    }
}

/// How a round ended.
enum Round {
    /// All seeds have run.
    Answered,
    /// A file was saved meanwhile.
    Saved,
    /// Nobody reads the answer any more.
    Unread,
}

/// Reads the experiment, runs a few seeds and then all, and prints the answer after each.
fn answer(
    arguments: &WatchArguments,
    files: &mut Files,
    screen: &Screen,
) -> Result<Round, Failure> {
    let InputArguments { experiment, arm, point, workers, .. } = &arguments.input;
    let mut read = Vec::new();
    let loaded = load_noting(arguments.input.to_read(false), &mut read);
    files.are(experiment, read);
    let mut campaign = loaded?.campaign;
    if let Some(section) = campaign.experiment.explores() {
        let problem = Problem::new("this experiment searches, and a search answers at its end");
        let expected = format!("stormglass run, or an experiment without [{section}]");
        return Err(problem.expected(expected).into());
    }
    campaign.has(arm, point)?;
    workers::find_warm_up(&mut campaign, *workers)?;
    campaign.choose(arm, point)?;
    output::warn(&(baseline_text(&campaign) + &preflight(&campaign, &planned_calm(&campaign))));
    let pool = workers::pool(*workers)?;
    let all = campaign.seeds.len() as u64;
    let (mut results, mut lines) = (Vec::new(), 0);
    for so_many in FIRST.into_iter().filter(|few| *few < all).chain([all]) {
        let known = match results.is_empty() {
            true => {
                let first = campaign.seeds[0];
                campaign.set_seeds(&Seeds(first..first + so_many))?;
                Vec::new()
            }
            false => campaign.grow(so_many, results),
        };
        let done = known.iter().flatten().count();
        let bar = progress::bar(campaign.runs(), done, false);
        let ran = workers::run_while(&campaign, &pool, &bar, known, || files.are_saved());
        bar.finish_and_clear();
        let Some(ran) = ran else { return Ok(Round::Saved) };
        results = ran;
        let text = told(&campaign, (so_many, all), &answer_to(&campaign, &results), files);
        screen.take_back(lines);
        lines = text.lines().count();
        if !output::print_on(&text)? {
            return Ok(Round::Unread);
        }
    }
    Ok(Round::Answered)
}

/// The answer, of how many seeds it is, and what happens next.
fn told(campaign: &Campaign, (so_many, all): (u64, u64), answer: &str, files: &Files) -> String {
    let heading = wrap(&output::heading(&campaign.experiment), output::width()).join("\n");
    let answer = answer.trim_end();
    match so_many == all {
        false => format!(
            "{heading}\n{so_many} of {all} seeds, the others are on their way\n\n{answer}\n\n"
        ),
        true => format!(
            "{heading}\n{}\n\n{answer}\n\nwaits for the next save of {} (Ctrl-C ends it)\n",
            several(all, "seed"),
            several(files.known.len() as u64, "file"),
        ),
    }
}

/// A terminal, on which the last answer takes the place of the one before; nothing where standard
/// output is none.
struct Screen(Option<console::Term>);

impl Screen {
    fn clear(&self) {
        // What cannot be cleared stays, and is followed by the next.
        self.0.as_ref().map(console::Term::clear_screen);
    }

    /// Takes back the lines that were printed last.
    fn take_back(&self, lines: usize) {
        self.0.as_ref().map(|terminal| terminal.clear_last_lines(lines));
    }
}

/// When a file was written, and how long it is; `None` if it is not there.
type Stamp = Option<(SystemTime, u64)>;

fn stamp(path: &Path) -> Stamp {
    let found = std::fs::metadata(path).ok()?;
    Some((found.modified().ok()?, found.len()))
}

/// The files that an experiment reads, as they were when it did.
struct Files {
    known: Vec<(PathBuf, Stamp)>,
}

impl Files {
    fn new(experiment: &Path) -> Files {
        Files { known: vec![(experiment.to_path_buf(), stamp(experiment))] }
    }

    /// These were read, beside the experiment. One that was known before may have been saved since
    /// it was looked at last.
    fn are(&mut self, experiment: &Path, mut paths: Vec<PathBuf>) {
        paths.push(experiment.to_path_buf());
        paths.sort_unstable();
        paths.dedup();
        let known = |path: &PathBuf| self.known.iter().find(|(known, _)| known == path);
        let before = |path: PathBuf| {
            let stamp = known(&path).map_or_else(|| stamp(&path), |(_, stamp)| *stamp);
            (path, stamp)
        };
        self.known = paths.into_iter().map(before).collect();
    }

    /// The folders of the files count too, from now on: what is missing may come.
    fn look_around(&mut self) {
        let folders = self.known.iter().filter_map(|(path, _)| {
            let folder = path.parent()?;
            Some(if folder.as_os_str().is_empty() { Path::new(".") } else { folder }.to_path_buf())
        });
        let mut folders: Vec<PathBuf> = folders.collect();
        folders.sort_unstable();
        folders.dedup();
        self.known.extend(folders.into_iter().map(|folder| {
            let stamp = stamp(&folder);
            (folder, stamp)
        }));
    }

    /// Whether one is not as it was.
    fn are_saved(&self) -> bool {
        self.known.iter().any(|(path, before)| stamp(path) != *before)
    }

    /// Waits until one is not as it was, and then until all of them rest: an editor may write a
    /// file in several steps.
    fn wait(&mut self) {
        while !self.are_saved() {
            std::thread::sleep(REST);
        }
        while self.are_saved() {
            self.known.iter_mut().for_each(|(path, seen)| *seen = stamp(path));
            std::thread::sleep(REST);
        }
    }
}
