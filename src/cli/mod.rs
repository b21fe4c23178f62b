//! The command line: arguments in, exit codes out. The only room with files, threads, clock and
//! environment.

mod budget;
mod check;
mod choice;
mod compare_runs;
mod demo;
mod diff;
mod explain;
mod explore;
mod extends;
mod help;
mod import;
mod imports;
mod interrupt;
mod journal;
pub mod library;
mod load;
mod map;
mod minimize;
mod new;
mod open;
mod output;
mod page;
mod plan;
mod policy;
mod progress;
mod reach;
mod replay;
mod review;
mod run;
mod search;
mod show;
mod template;
mod validate;
mod watch;
mod workers;
mod write;

use std::process::ExitCode;

use clap::{FromArgMatches, Parser, Subcommand};

use load::Input;

use crate::experiment::plan::seeds::Seeds;
use crate::model::problem::Problem;

/// Everything was done.
const DONE: u8 = 0;
/// A promise was broken, or what should be the same is not.
const VIOLATION: u8 = 1;
/// The input is wrong: an argument, an experiment, a model.
const INPUT: u8 = 2;
/// Nothing can be said: a run reached a limit.
const UNKNOWN: u8 = 3;
/// Something that must happen never did, or nothing could have broken a promise.
const NEVER: u8 = 4;
/// The machine refused: a disk is full, a folder cannot be written.
const MACHINE: u8 = 5;
/// Ctrl-C: what a shell says of a process that it ended.
const INTERRUPTED: u8 = 130;

/// Simulates distributed systems under failure: which policy survives, at what load, and which
/// promise breaks.
#[derive(Debug, Parser)]
#[command(name = "stormglass", version, propagate_version = true, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows a double charge, its story and what prevents it: nothing to write, no file needed.
    Demo,
    /// Writes a model, an experiment and a CI workflow to begin with.
    New(new::NewArguments),
    /// Runs an experiment and writes its results.
    Run(RunArguments),
    /// Says which failure spends an error budget, and which change buys it back.
    Budget(budget::BudgetArguments),
    /// Says, before a run, what each node will be offered, what it can take, and how long it takes.
    Plan(plan::PlanArguments),
    /// Maps what happens if each dependency of a model fails, in each way in which it can.
    Map(map::MapArguments),
    /// Says whether an experiment keeps its promises under every seed.
    #[command(after_help = CODES)]
    Check(check::CheckArguments),
    /// Says which failure each part of a model contains and which one it introduces, with a check.
    Review(review::ReviewArguments),
    /// Makes the run that broke a promise as small as it gets, and writes it to a file.
    #[command(after_help = CODES)]
    Minimize(minimize::MinimizeArguments),
    /// Runs a reproduction and says whether the same violation comes back.
    #[command(after_help = CODES)]
    Replay(replay::ReplayArguments),
    /// Tells the story of a reproduction: a timeline, a sequence diagram, the point of no return.
    #[command(after_help = CODES)]
    Explain(explain::ExplainArguments),
    /// Names the first event in which two runs are not the same.
    #[command(after_help = CODES)]
    CompareRuns(compare_runs::CompareArguments),
    /// Lists and shows the policies of real libraries and proxies.
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Reads a configuration of another system and prints it as policies.
    Import(import::ImportArguments),
    /// Compares two versions of a configuration: their policies, and runs of a model with each.
    Diff(diff::DiffArguments),
    /// Tells what theory says beside what runs show.
    Validate(validate::ValidateArguments),
    /// Prints a model with every default filled in.
    Show(ShowArguments),
    /// Prints the JSON Schema of models, experiments or budgets, for editors.
    Schema(SchemaArguments),
    /// Runs an experiment again on each save of it or of its model, and prints the answer.
    Watch(watch::WatchArguments),
    /// Opens the page of a folder of results.
    Open(open::OpenArguments),
    /// Prints the completions of commands and options for a shell.
    Completions(help::CompletionsArguments),
    /// Prints the manual page, or writes one for each command.
    Man(help::ManArguments),
}

/// The exit codes of the commands that judge.
const CODES: &str = "\
Exit codes:
  0  every promise was kept; the same came back
  1  a promise was broken; something else came back
  2  bad input
  3  unknown: a run reached a limit
  4  a promise that nothing could have broken, or something that must happen (`sometimes`) and
     never did
  5  the machine refused: a file or standard output cannot be written";

/// What `show` is told.
#[derive(Debug, clap::Args)]
struct ShowArguments {
    /// The model, such as models/checkout.toml.
    model: std::path::PathBuf,
    /// Set any value of the model, such as policy.checkout.timeout=1s. Can be given more than once.
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Let paths in the model lead into this folder too. Can be given more than once.
    #[arg(long, value_name = "DIR")]
    allow_outside: Vec<std::path::PathBuf>,
    /// Print JSON, which is the same language.
    #[arg(long)]
    json: bool,
}

/// What `schema` is told.
#[derive(Debug, clap::Args)]
struct SchemaArguments {
    /// Of which files.
    of: SchemaOf,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum SchemaOf {
    /// Files in models/.
    Model,
    /// Files in experiments/.
    Experiment,
    /// Files for `budget`.
    Budget,
}

/// What `run` is told.
#[derive(Debug, clap::Args)]
struct RunArguments {
    #[command(flatten)]
    input: InputArguments,
    /// Write results to this folder instead of out/NAME.
    #[arg(long, value_name = "DIR")]
    out: Option<std::path::PathBuf>,
    /// Print the summary as JSON on standard output, and nothing else.
    #[arg(long)]
    json: bool,
    /// Print nothing but errors.
    #[arg(long)]
    quiet: bool,
    /// Print every table and comparison behind the answer, as in tables.md.
    #[arg(long)]
    full: bool,
}

impl RunArguments {
    /// Whether it prints more than errors.
    fn talks(&self) -> bool {
        !self.quiet && !self.json
    }
}

/// The experiment that a command is about, which of its runs, and what is changed in it.
#[derive(Debug, clap::Args)]
struct InputArguments {
    /// The experiment, such as experiments/payment-brownout.toml.
    experiment: std::path::PathBuf,
    /// The seeds from A up to, but without, B instead of the experiment's own.
    #[arg(long, value_name = "A..B", value_parser = parse_seeds)]
    seeds: Option<Seeds>,
    /// This arm only; numbers are those of the whole experiment. Can be given more than once.
    #[arg(long, value_name = "NAME")]
    arm: Vec<String>,
    /// This point only, such as "load=high handling=sync". Can be given more than once.
    #[arg(long, value_name = "POINT")]
    point: Vec<String>,
    /// How many runs at once; all cores by default. No result depends on it.
    #[arg(long, value_name = "N", value_parser = parse_workers)]
    workers: Option<u16>,
    /// Set any value of the model or the experiment, such as policy.checkout.timeout=1s. Wins over
    /// what arms set. Can be given more than once.
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Let paths in the experiment and its model lead into this folder too. Can be given more than
    /// once.
    #[arg(long, value_name = "DIR")]
    allow_outside: Vec<std::path::PathBuf>,
}

impl InputArguments {
    /// What is to be read, with warnings on standard error unless it is `quiet`.
    fn to_read(&self, quiet: bool) -> Input<'_> {
        let InputArguments { experiment, seeds, set, allow_outside: allowed, .. } = self;
        Input { experiment, seeds: seeds.as_ref(), set, allowed, quiet }
    }
}

/// Why a command could not do its work.
enum Failure {
    /// The input is wrong; the text has been laid out already.
    Input(String),
    /// The machine refused.
    Machine(String),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let matches = help::grouped().try_get_matches();
    let result = match matches.and_then(|matches| Arguments::from_arg_matches(&matches)) {
        Ok(arguments) => obey(&arguments.command),
        // What is asked for with --help goes to standard output.
        Err(told) => output::written(told.print()).map(|()| told.exit_code() as u8),
    };
    let code = match result {
        Ok(code) => code,
        Err(Failure::Input(text)) => {
            output::error(&text);
            INPUT
        }
        Err(Failure::Machine(text)) => {
            output::error(&text);
            MACHINE
        }
    };
    ExitCode::from(code)
}

/// Does what a command says; returns the exit code.
fn obey(command: &Command) -> Result<u8, Failure> {
    match command {
        Command::Demo => demo::demo().map(|()| DONE),
        Command::New(arguments) => new::new(arguments).map(|()| DONE),
        Command::Run(arguments) => run::run(arguments).map(|()| DONE),
        Command::Budget(arguments) => budget::budget(arguments).map(|()| DONE),
        Command::Plan(arguments) => plan::plan(arguments).map(|()| DONE),
        Command::Map(arguments) => map::map(arguments).map(|()| DONE),
        Command::Check(arguments) => check::check(arguments),
        Command::Review(arguments) => review::review(arguments).map(|()| DONE),
        Command::Minimize(arguments) => minimize::minimize(arguments),
        Command::Replay(arguments) => replay::replay(arguments),
        Command::Explain(arguments) => explain::explain(arguments),
        Command::CompareRuns(arguments) => compare_runs::compare_runs(arguments),
        Command::Policy(command) => policy::policy(command).map(|()| DONE),
        Command::Import(arguments) => import::import(arguments).map(|()| DONE),
        Command::Diff(arguments) => diff::diff(arguments).map(|()| DONE),
        Command::Validate(arguments) => validate::validate(arguments),
        Command::Show(arguments) => show::show(arguments).map(|()| DONE),
        Command::Schema(arguments) => show::schema(arguments).map(|()| DONE),
        Command::Watch(arguments) => watch::watch(arguments).map(|()| DONE),
        Command::Open(arguments) => open::open(arguments).map(|()| DONE),
        Command::Completions(arguments) => help::completions(arguments).map(|()| DONE),
        Command::Man(arguments) => help::man(arguments).map(|()| DONE),
    }
}

fn parse_seeds(text: &str) -> Result<Seeds, String> {
    Seeds::parse(text).ok_or_else(|| format!("expected {}", Seeds::EXPECTED))
}

fn parse_workers(text: &str) -> Result<u16, String> {
    let workers = text.parse().ok().filter(|&workers| workers > 0);
    workers.ok_or_else(|| format!("expected a whole number from 1 to {}", u16::MAX))
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Failure {
        vec![problem].into()
    }
}

impl From<Vec<Problem>> for Failure {
    fn from(problems: Vec<Problem>) -> Failure {
        let texts = problems.iter().map(|problem| format!("error: {problem}"));
        Failure::Input(texts.collect::<Vec<_>>().join("\n\n"))
    }
}
