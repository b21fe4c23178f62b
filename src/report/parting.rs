//! Where two runs part, in words.

use crate::experiment::run::divergence::Parting;
use crate::kernel::digest::Folded;
use crate::model::program::Program;

/// Where two runs of one program part, or two programs with the same nodes.
pub fn parting(program: &Program, parting: &Parting, events: u64) -> String {
    match parting {
        Parting::Nowhere => format!("equal: the same {events} events, the same digest\n"),
        Parting::Unsteady => {
            "the digests differed once and do not any more: a run does not repeat itself\n"
                .to_owned()
        }
        Parting::At { number, first, second } => format!(
            "the first {number} events are the same; then\n  first:  {}\n  second: {}\n",
            event(program, *first),
            event(program, *second)
        ),
    }
}

/// One event in words.
fn event(program: &Program, event: Option<Folded>) -> String {
    let Some(Folded { time, site, work, .. }) = event else {
        return "nothing: the run is over".to_owned();
    };
    let (kind, place) = (site >> 32, site as u32);
    let node = program.nodes.iter().find(|node| node.id == place);
    let node = node.map_or("", |node| node.name.as_str());
    let what = match kind & 0xff {
        1 => "a user arrives",
        2 => "work goes on",
        3 => "an attempt times out",
        4 => "an attempt is due",
        5 => "a message can be delivered",
        6 => "a transaction is applied",
        7 => "the log is flushed",
        8 => return format!("{:.9} s: fault control {work} is switched", time.seconds()),
        10 => "a request arrives",
        11 => "an answer arrives",
        12 | 16 => "a message arrives at a worker",
        13 => "a message is given back",
        14 => "messages expire",
        15 => "a worker still handles a message",
        20 => "a user comes back",
        24 => "somebody has waited long enough",
        30 => "an instance stands still",
        31 => "an instance goes on",
        _ => "an event",
    };
    format!("{:.9} s: {what} at {node} (work {work:016x})", time.seconds())
}
