//! How fast the engine is, and how little memory it needs, on the reference collapse R1
//! (`experiments/r1.toml`): attempts per second of CPU time, and the peak of resident memory.
//!
//! `cargo bench --bench r1`. Figures of one process on one thread, without reports and pictures.
//! Compare two versions on one machine, in turn; single figures of a busy machine mean little.

use std::path::Path;

use stormglass::experiment::campaign::{Campaign, Documents};
use stormglass::model::document::{Sources, Value};
use stormglass::model::problem::Problem;

const RUNS: usize = 20;

fn main() {
    let campaign = r1();
    let mut attempts = 0;
    let before = cpu_nanos();
    for number in 0..RUNS {
        attempts += campaign.run(number).metrics.attempts;
    }
    let seconds = (cpu_nanos() - before) as f64 / 1e9;
    let rate = attempts as f64 / seconds / 1e6;
    print(&format!("{attempts} attempts in {seconds:.2} s of CPU time"));
    print(&format!("{rate:.2} million attempts per second of CPU time"));
    print(&format!("{:.1} MiB of resident memory at the peak", peak_kib() as f64 / 1024.0));
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn print(line: &str) {
    println!("{line}");
}

fn r1() -> Campaign {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Sources::default();
    let mut read = |path: &str| {
        let text = std::fs::read_to_string(root.join(path)).expect(path);
        let source = sources.add(path, &text);
        Value::parse(&sources, source).expect(path)
    };
    let documents = Documents {
        experiment: read("experiments/r1.toml"),
        model: read("models/single-server.toml"),
        overrides: Vec::new(),
    };
    let no_files = |name: &str| Err(Problem::new(name));
    Campaign::new(&documents, &no_files).expect("the shipped experiment is right")
}

/// Time that this thread has spent on a processor (Linux, proc(5), `schedstat`).
fn cpu_nanos() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    stat.split_whitespace().next().and_then(|field| field.parse().ok()).expect("nanoseconds")
}

/// The most memory that this process ever held (Linux, proc(5), `VmHWM`).
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("VmHWM");
    line.split_whitespace().nth(1).and_then(|field| field.parse().ok()).expect("kibibytes")
}
