//! `stormglass map`: what happens if each dependency of a model fails, in each way in which it can.

use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;

use super::load::{Input, Loaded, load_input};
use super::reach::Reach;
use super::write::Folder;
use super::{Failure, choice, output, parse_seeds, parse_workers, progress, workers, write};
use crate::experiment::outage_map::harm::Outcome;
use crate::experiment::outage_map::text::{
    CALM, Names, SEEDS, of_experiment, of_field, of_model, plain, stem,
};
use crate::experiment::outage_map::{Calm, Mark, OutageMap, Threshold};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::plan::seeds::Seeds;
use crate::experiment::run::result::digest_of_runs;
use crate::kernel::digest::{Digest, digest_of};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::report::command::quoted;
use crate::report::outage_map::Report;
use crate::report::outputs::MAP_OUTPUTS;
use crate::report::table::wrap;

/// What `map` is told.
#[derive(Debug, clap::Args)]
pub(super) struct MapArguments {
    /// The model, such as models/checkout.toml.
    model: PathBuf,
    /// Take arrivals, promises and what is measured from this experiment; without it, users come
    /// for a minute as the model says, and promises that need no declaration are watched.
    #[arg(long, value_name = "FILE")]
    experiment: Option<PathBuf>,
    /// The arm of the experiment.
    #[arg(long, value_name = "NAME", requires = "experiment")]
    arm: Option<String>,
    /// The point of the experiment, such as "load=high handling=sync".
    #[arg(long, value_name = "POINT", requires = "experiment")]
    point: Option<String>,
    /// The seeds from A up to, but without, B; two without it.
    #[arg(long, value_name = "A..B", value_parser = parse_seeds)]
    seeds: Option<Seeds>,
    /// Write to this folder instead of out/map-NAME.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How many runs at once; all cores by default. No result depends on it.
    #[arg(long, value_name = "N", value_parser = parse_workers)]
    workers: Option<u16>,
    /// Set any value of the model or the experiment, such as arrivals=2min. Can be given more than
    /// once.
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Let paths in the experiment and its model lead into this folder too. Can be given more than
    /// once.
    #[arg(long, value_name = "DIR")]
    allow_outside: Vec<PathBuf>,
    /// Print the map as JSON on standard output, and nothing else.
    #[arg(long)]
    json: bool,
}

/// Makes every dependency fail in every way, writes the map, and tells it.
pub(super) fn map(arguments: &MapArguments) -> Result<(), Failure> {
    let asked = Asked::read(arguments)?;
    let mut out = Folder::prepare(&asked.folder)?;
    let loaded = asked.load(arguments)?;
    let campaign = &loaded.campaign;
    let map = OutageMap::new(&campaign.cells[0])?;
    let ran = Ran::new(&map, campaign, arguments)?;
    let folder = asked.folder.display().to_string();
    let files = loaded.files.iter().map(|(name, text)| (name.clone(), digest_of(text)));
    let report = Report {
        of: &asked.names.of,
        map: &map,
        calm: &ran.calm,
        marks: &ran.marks,
        thresholds: &ran.thresholds,
        are_undeclared: arguments.experiment.is_none(),
        folder: &folder,
        options: &asked.options,
        files: &files.collect::<Vec<_>>(),
        digest: ran.digest,
    };
    let mut written = vec![asked.folder.join(CALM)];
    written.extend(asked.write_fields(&map, &ran.marks)?);
    for output in &MAP_OUTPUTS {
        if let Some(bytes) = (output.make)(&report) {
            out.write(output, &bytes)?;
        }
    }
    written.extend(out.publish()?);
    match arguments.json {
        true => output::print_exactly(&report.json()),
        false => tell(&report, written.len()),
    }
}

/// What to know first, the map, the worst harms, and where the rest is.
fn tell(report: &Report<'_>, written: usize) -> Result<(), Failure> {
    let width = output::width();
    let wrapped = |text: &str| wrap(text, width);
    for sentence in report.sentences() {
        output::print(&format!("{}\n\n", wrapped(&sentence).join("\n")))?;
    }
    output::print(&report.table().text(width, output::colour_out()))?;
    output::print(&format!("{}\n\n", wrapped(report.legend()).join("\n")))?;
    output::print(&report.worst_text(wrapped))?;
    output::print(&format!("\n{}\n", wrapped(&report.conditions()).join("\n")))?;
    output::print(&format!("wrote {written} files to {}\n", report.folder))
}

/// What a map is to be made of, and where it goes.
struct Asked {
    names: Names,
    folder: PathBuf,
    /// The calm experiment of an experiment; of a model alone it takes its program to write it.
    calm: Option<toml::Table>,
    /// The experiment whose model names files, beside which the calm one will lie.
    given: Option<Loaded>,
    /// Where paths in files may lead.
    allowed: Vec<PathBuf>,
    /// What a command that runs one of the written experiments needs.
    options: String,
}

impl Asked {
    fn read(arguments: &MapArguments) -> Result<Asked, Failure> {
        let given = match &arguments.experiment {
            Some(file) => Some(load_given(arguments, file)?),
            None => None,
        };
        let of = match &given {
            Some(loaded) => loaded.campaign.experiment.name.clone(),
            None => {
                let stem = arguments.model.file_stem().unwrap_or_default();
                stem.to_string_lossy().into_owned()
            }
        };
        let name: String = format!("map-{}", plain(&of)).chars().take(NAME_MAX).collect();
        let folder = arguments.out.clone().unwrap_or_else(|| Path::new("out").join(&name));
        let first = given.as_ref().map_or(1, |loaded| loaded.campaign.seeds[0]);
        let seeds = match &arguments.seeds {
            Some(Seeds(seeds)) => seeds.clone(),
            None => first..first.saturating_add(SEEDS),
        };
        // How far paths lead depends on where the file lies that names them.
        write::write_file(&folder.join(CALM), b"")?;
        let model = relative(&folder, &arguments.model);
        let names = Names { name, model: model.display().to_string(), of, seeds };
        let calm = given
            .as_ref()
            .map(|loaded| of_experiment(&names, (&loaded.documents, &loaded.campaign), 0));
        let calm = calm.transpose()?;
        let allowed = allowed(arguments, &folder);
        let mut options = String::new();
        // What an experiment sets stands in the calm one.
        for set in arguments.set.iter().filter(|_| calm.is_none()) {
            options.push_str(&format!(" --set {}", quoted(set)));
        }
        for outside in &allowed {
            let outside = outside.display().to_string();
            options.push_str(&format!(" --allow-outside {}", quoted(&outside)));
        }
        Ok(Asked { names, folder, calm, given, allowed, options })
    }

    /// Writes the calm experiment, and reads it: what is mapped is what its file says.
    fn load(&self, arguments: &MapArguments) -> Result<Loaded, Failure> {
        if let Some(given) = &self.given {
            given.write_named(&self.folder)?;
        }
        let mut calm = match &self.calm {
            Some(calm) => calm.clone(),
            None => {
                let model = self.read_back(&of_model(&self.names, None), arguments, true)?;
                of_model(&self.names, Some(&model.campaign.cells[0].program))
            }
        };
        let mut loaded = self.read_back(&calm, arguments, arguments.json)?;
        if !loaded.campaign.cells[0].finds_warm_up {
            return Ok(loaded);
        }
        // With a fault there would be less time to find it in.
        workers::find_warm_up(&mut loaded.campaign, arguments.workers)?;
        state_warm_up(&mut calm, &loaded.campaign.cells[0]);
        self.read_back(&calm, arguments, true)
    }

    /// Writes the calm experiment and reads what was written.
    fn read_back(
        &self,
        calm: &toml::Table,
        arguments: &MapArguments,
        quiet: bool,
    ) -> Result<Loaded, Failure> {
        let file = self.folder.join(CALM);
        let of = &self.names.of;
        let text = format!("# {of}, and nothing goes wrong. stormglass map wrote it.\n\n{calm}");
        write::write_file(&file, text.as_bytes())?;
        let set = if self.calm.is_none() { arguments.set.as_slice() } else { &[] };
        load_input(Input { experiment: &file, seeds: None, set, allowed: &self.allowed, quiet })
    }

    /// Writes an experiment for each harm, and removes what an earlier map has left of others.
    fn write_fields(&self, map: &OutageMap<'_>, marks: &[Mark]) -> Result<Vec<PathBuf>, Failure> {
        let mut written = Vec::new();
        for (field, mark) in map.fields.iter().zip(marks) {
            let node = &map.cell.program.node(field.node).name;
            let file = self.folder.join(format!("{}.toml", stem(node, field.mode.name())));
            match (mark, &field.fault) {
                (Mark::Harm(harm), Some((fault, _))) => {
                    let table = of_field(&self.names, (field, node), (fault, harm));
                    write::write_file(&file, table.to_string().as_bytes())?;
                    written.push(file);
                }
                _ => {
                    std::fs::remove_file(&file).ok();
                }
            }
        }
        Ok(written)
    }
}

/// States when requests begin to count, as it was found.
fn state_warm_up(calm: &mut toml::Table, cell: &Cell) {
    let measure = calm.entry("measure").or_insert_with(|| toml::Value::Table(toml::Table::new()));
    if let toml::Value::Table(measure) = measure {
        let warm_up = cell.measure.warm_up.since(Time::ZERO);
        measure.insert("warm_up".to_owned(), warm_up.to_string().into());
    }
}

/// The longest name of a map: names of experiments are folders, and fields add to it.
const NAME_MAX: usize = 50;

/// Reads the experiment whose arrivals, promises and measures are taken, in its one cell.
fn load_given(arguments: &MapArguments, file: &Path) -> Result<Loaded, Failure> {
    let model = std::iter::once(format!("model={}", arguments.model.display()));
    let set: Vec<String> = model.chain(arguments.set.iter().cloned()).collect();
    let allowed = arguments.allow_outside.as_slice();
    let input = Input { experiment: file, seeds: None, set: &set, allowed, quiet: arguments.json };
    let mut loaded = load_input(input)?;
    let experiment = &loaded.campaign.experiment;
    if let Some(section) = experiment.explores().or(experiment.ramp.as_ref().map(|_| "ramp")) {
        let problem = Problem::new("this experiment varies what a map leaves as it is");
        return Err(problem.expected(format!("an experiment without [{section}]")).into());
    }
    choice::only_cell(&mut loaded.campaign, arguments.arm.as_ref(), arguments.point.as_ref())?;
    Ok(loaded)
}

/// Where paths of the written experiments may lead: where the command line says, and to the model.
fn allowed(arguments: &MapArguments, folder: &Path) -> Vec<PathBuf> {
    let mut allowed = arguments.allow_outside.clone();
    let reach = Reach::new(&folder.join(CALM), &allowed, &[]);
    if reach.check(&arguments.model, &arguments.model.display().to_string()).is_err() {
        let model = std::fs::canonicalize(&arguments.model).unwrap_or_default();
        allowed.extend(model.parent().map(Path::to_path_buf));
    }
    allowed
}

/// The path of a file from a folder; the file's own where one of both is not there.
fn relative(folder: &Path, file: &Path) -> PathBuf {
    let whole = (std::fs::canonicalize(folder), std::fs::canonicalize(file));
    let (Ok(from), Ok(to)) = whole else { return file.to_path_buf() };
    let pairs = from.components().zip(to.components());
    let same = pairs.take_while(|(one, other)| one == other).count();
    let up = from.components().skip(same).map(|_| Component::ParentDir);
    up.chain(to.components().skip(same)).collect()
}

/// What running a map came to.
struct Ran<'a> {
    calm: Vec<Calm<'a>>,
    marks: Vec<Mark>,
    thresholds: Vec<Option<Threshold>>,
    digest: Digest,
}

impl<'a> Ran<'a> {
    /// Runs every field under every seed, several at once; what comes of it is in the order of the
    /// map, whoever was first.
    fn new(
        map: &'a OutageMap<'a>,
        campaign: &Campaign,
        arguments: &MapArguments,
    ) -> Result<Ran<'a>, Failure> {
        let pool = workers::pool(arguments.workers)?;
        let (seeds, fields) = (&campaign.seeds, map.to_run());
        let bar = progress::bar(seeds.len() * (fields.len() + 1), 0, arguments.json);
        let calm: Vec<Calm<'a>> = pool.install(|| {
            let each = seeds.par_iter().map(|&seed| map.calm(seed));
            each.inspect(|_| bar.inc(1)).collect()
        });
        let numbers = 0..fields.len() * calm.len();
        let outcomes: Vec<Outcome> = pool.install(|| {
            let each = numbers
                .into_par_iter()
                .map(|number| map.outcome(fields[number / calm.len()], &calm[number % calm.len()]));
            each.inspect(|_| bar.inc(1)).collect()
        });
        let mut rest = outcomes.chunks(calm.len());
        let own = |place| if fields.contains(&place) { rest.next() } else { None };
        let of_fields: Vec<&[Outcome]> =
            (0..map.fields.len()).map(own).map(Option::unwrap_or_default).collect();
        let numbered = of_fields.iter().enumerate();
        let marks: Vec<Mark> = numbered.map(|(place, own)| map.mark(place, own)).collect();
        let harmful = marks.iter().filter(|mark| matches!(mark, Mark::Harm(_))).count();
        let threshold = |(place, mark): (usize, &Mark)| {
            let Mark::Harm(harm) = mark else { return None };
            let pairs = of_fields[place].iter().zip(&calm);
            let (whole, calm) = pairs.into_iter().find(|(whole, _)| whole.seed == harm.seed)?;
            Some(map.threshold(place, whole, calm))
        };
        let thresholds = match map.has_time_for_strengths(&calm, harmful) {
            false => vec![None; marks.len()],
            true => pool.install(|| marks.par_iter().enumerate().map(threshold).collect()),
        };
        bar.finish_and_clear();
        let calm_runs = calm.iter().map(|calm| (calm.run.seed, calm.run.digest));
        let others = outcomes.iter().map(|one| (one.seed, one.digest));
        let digest = digest_of_runs(calm_runs.chain(others));
        Ok(Ran { calm, marks, thresholds, digest })
    }
}
