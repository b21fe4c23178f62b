//! `stormglass explain`: the story of the order for which a promise was broken.

use std::path::PathBuf;

use super::replay::{Ready, ReplayArguments, load};
use super::{DONE, Failure, VIOLATION, output, write};
use crate::experiment::run::story::{NoReturn, Point, listen, no_return};
use crate::experiment::shrink::reproduction::compare;
use crate::invariant::{Violation, Watched};
use crate::kernel::time::Time;
use crate::report::chart::{self, Caption};
use crate::report::story::{StoryStep, What, mermaid, picture, point, steps, timeline};

/// What `explain` is told.
#[derive(Debug, clap::Args)]
pub(super) struct ExplainArguments {
    #[command(flatten)]
    reproduction: ReplayArguments,
    /// Write the sequence diagrams to this folder instead of out/.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How often the rest of the run is drawn again at each moment that is looked at.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    continuations: u32,
}

/// Tells the story and draws it; 1 if what the file expects does not come back.
pub(super) fn explain(arguments: &ExplainArguments) -> Result<u8, Failure> {
    let file = &arguments.reproduction.file;
    let Ready { reproduction, campaign, cell, case, target } = load(file)?;
    let cell = &campaign.cells[cell];
    let expected = &reproduction.expected;
    let violation = Violation { at: Time(expected.at.0), order: expected.order };
    let (story, run) = listen(cell, &case, violation, target.at_end);
    if !compare(&reproduction, &target, &run).is_same_violation {
        output::error(
            "this violation does not come back: stormglass replay says what is different",
        );
        return Ok(VIOLATION);
    }
    let told = steps(&cell.program, &case.faults, &story);
    let order = expected.order.map(|order| format!("order {order}"));
    let order = order.unwrap_or_else(|| "no order of its own".to_owned());
    let title = format!("{}: {order}", expected.invariant);
    let broken = format!("Broken at {:.6} s under seed {}.", violation.at.seconds(), case.seed);
    let promise = cell.invariants.get(target.place).map(Watched::sentence);
    let promise = promise.unwrap_or_default();
    output::print(&format!("{title}\n{promise}\n{broken}\n\n"))?;
    output::print(&timeline(&cell.program, &told))?;
    let moments = moments_of(&told);
    let found = no_return(cell, &case, &target, &moments, arguments.continuations);
    output::print(&format!("\n{}", point(&cell.program, &told, &found)))?;
    let caption =
        Caption { title: promise, subtitle: format!("{order}. {broken}"), note: note(&found) };
    let folder = arguments.out.clone().unwrap_or_else(|| PathBuf::from("out"));
    let stem = file.file_stem().map_or_else(Default::default, |stem| stem.to_string_lossy());
    let svg = picture(&cell.program, caption, &told);
    let png = chart::png(&svg, 2.0)
        .map_err(|error| Failure::Machine(format!("error: cannot draw a PNG: {error}")))?;
    let drawn = [
        ("svg", svg.into_bytes()),
        ("png", png),
        ("mmd", mermaid(&cell.program, &title, &told).into_bytes()),
    ];
    output::print("\n")?;
    for (ending, content) in drawn {
        let path = folder.join(format!("{stem}.{ending}"));
        write::write_file(&path, &content)?;
        output::print(&format!("wrote {}\n", path.display()))?;
    }
    Ok(DONE)
}

/// When something happened or a message arrived, each time once: what its receiver does with it is
/// drawn when it arrives.
fn moments_of(steps: &[StoryStep]) -> Vec<Time> {
    let arrived = |step: &StoryStep| match step.what {
        What::Message { arrived, .. } => arrived,
        What::Note { .. } => None,
    };
    let times = steps.iter().flat_map(|step| [Some(step.at), arrived(step)]);
    let mut moments: Vec<Time> = times.flatten().collect();
    moments.sort_unstable();
    moments.dedup();
    moments
}

fn note(found: &NoReturn) -> String {
    let scale = "Time runs downwards, not to scale: each row is one thing that happened.";
    let about = |point: Point| if point.against.is_some() { "about " } else { "" };
    match found.at.filter(|point| point.at > Time::ZERO) {
        Some(point) => {
            let at = point.at.seconds();
            format!("{scale} From {}{at:.6} s on it could not be avoided.", about(point))
        }
        None => scale.to_owned(),
    }
}
