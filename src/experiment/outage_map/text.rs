//! The experiments that a map writes: the one in which nothing goes wrong, and one for each harm.

use std::ops::Range;

use toml::{Table, Value as Toml};

use super::Field;
use super::harm::Harm;
use super::promises::undeclared;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::documents::Documents;
use crate::experiment::plan::patch::OF_RUNS;
use crate::experiment::plan::point::levels;
use crate::experiment::plan::variant::{Variant, read_set};
use crate::fault::FaultText;
use crate::kernel::time::Span;
use crate::model::compile;
use crate::model::document::{Patch, parse_path};
use crate::model::problem::Problem;
use crate::model::program::Program;

/// How long users arrive in the map of a model without an experiment.
const ARRIVALS: &str = "60s";
/// A field of a map is compared under so many seeds, if nobody says.
pub const SEEDS: u64 = 2;

/// What a map takes over from an experiment: who comes, what is measured, and what is promised.
const TAKEN: [&str; 9] = [
    "starts_at",
    "arrivals",
    "drain",
    "measure",
    "milestone",
    "slo",
    "blast_radius",
    "limits",
    "invariants",
];
/// What arms, levels and the command line may set that a map does not take over.
const LEFT: [&str; 7] =
    ["faults", "random_faults", "metastability", "blast_radius", "expect", "limit", "price"];

/// What the written experiments say of themselves.
#[derive(Clone, Debug)]
pub struct Names {
    /// The name of the map, which is that of the calm experiment.
    pub name: String,
    /// The path of the model, from where they are written.
    pub model: String,
    /// The model or experiment of which it is the map.
    pub of: String,
    /// The seeds under which each field is compared.
    pub seeds: Range<u64>,
}

/// The file of the calm experiment, from which the others are.
pub const CALM: &str = "calm.toml";

/// The experiment of a model alone, in which nothing goes wrong, with the promises of its program
/// that need no declaration once that is known.
#[must_use]
pub fn of_model(names: &Names, program: Option<&Program>) -> Table {
    let mut table = head(names);
    table.insert("arrivals".to_owned(), ARRIVALS.into());
    table.insert("blast_radius".to_owned(), Toml::Table(Table::new()));
    let promises = program.map(undeclared).unwrap_or_default();
    if !promises.is_empty() {
        table.insert("invariants".to_owned(), Toml::Table(promises));
    }
    table
}

/// The experiment in which nothing goes wrong of one cell of another: its arrivals, its promises,
/// what it measures, and what its arm and its levels set.
///
/// # Errors
/// What the command line sets that does not fit.
pub fn of_experiment(
    names: &Names,
    (documents, campaign): (&Documents, &Campaign),
    cell: usize,
) -> Result<Table, Vec<Problem>> {
    let experiment = documents.patched_experiment()?;
    let mut table = head(names);
    for key in TAKEN {
        if let Some(value) = experiment.find(&[key.to_owned()]) {
            table.insert(key.to_owned(), value.toml());
        }
    }
    let radius = table.entry("blast_radius").or_insert_with(|| Toml::Table(Table::new()));
    if let Toml::Table(radius) = radius {
        // Whoever fails is the cause.
        radius.remove("of");
    }
    let mut own = Vec::new();
    let text = experiment.find(&["set".to_owned()]).cloned();
    let set = read_set(text.as_ref(), &mut own);
    let of_cell = variants(campaign, cell).into_iter().flat_map(|variant| &variant.set);
    let mut sets = Table::new();
    for patch in set.iter().chain(of_cell).chain(&documents.overrides) {
        add(&mut sets, patch);
    }
    if !sets.is_empty() {
        table.insert("set".to_owned(), Toml::Table(sets));
    }
    Ok(table)
}

/// What an experiment is that shows a field: the calm one with this fault.
///
/// # Panics
/// Never: a fault is plain data.
#[must_use]
pub fn of_field(
    names: &Names,
    (field, node): (&Field, &str),
    (fault, harm): (&FaultText, &Harm),
) -> Table {
    let mut table = Table::new();
    let mode = field.mode.name();
    table.insert("extends".to_owned(), CALM.into());
    table.insert("name".to_owned(), format!("{}-{}", names.name, stem(node, mode)).into());
    table.insert("title".to_owned(), format!("{node}, {mode}").into());
    let question = format!("What does it do to {} if {node} is {mode}?", names.of);
    table.insert("question".to_owned(), question.into());
    let fault = Toml::try_from(fault).expect("a fault is plain data");
    table.insert("faults".to_owned(), Toml::Array(vec![fault]));
    if harm.late > Span::ZERO {
        // Whoever runs it is told of what no user's request shows.
        let primary = Toml::Array(vec!["oldest_message_s".into()]);
        let compare = Table::from_iter([("primary".to_owned(), primary)]);
        table.insert("compare".to_owned(), Toml::Table(compare));
    }
    table
}

/// What the file of a field is called, without its ending.
#[must_use]
pub fn stem(node: &str, mode: &str) -> String {
    format!("{}-{mode}", plain(node))
}

/// A name with a hyphen for what cannot be in the name of an experiment.
#[must_use]
pub fn plain(name: &str) -> String {
    let letter = |c: char| if c.is_alphanumeric() || c == '_' { c } else { '-' };
    name.chars().map(letter).collect()
}

fn head(names: &Names) -> Table {
    let Range { start, end } = names.seeds;
    let mut table = Table::new();
    table.insert("name".to_owned(), names.name.as_str().into());
    table.insert("title".to_owned(), format!("{}, as it is", names.of).into());
    table.insert("model".to_owned(), names.model.as_str().into());
    table.insert("seeds".to_owned(), format!("{start}..{end}").into());
    table
}

/// The arm and the levels of a cell, the last ones last.
fn variants(campaign: &Campaign, cell: usize) -> Vec<&Variant> {
    let (experiment, cell) = (&campaign.experiment, &campaign.cells[cell]);
    let name = |levels: &[&Variant]| {
        let named = experiment.factors.iter().zip(levels);
        let named = named.map(|(factor, level)| format!("{}={}", factor.name, level.name));
        named.collect::<Vec<_>>().join(" ")
    };
    let points = experiment.points.iter().map(|point| levels(&experiment.factors, point));
    let levels = points.into_iter().find(|levels| name(levels) == cell.point);
    let arm = experiment.arms.iter().find(|arm| arm.name == cell.arm);
    levels.into_iter().flatten().chain(arm).collect()
}

/// Sets a value, and forgets what was set inside of it.
fn add(sets: &mut Table, patch: &Patch) {
    let Ok(path) = parse_path(&patch.path) else { return };
    let is_known = compile::TOP.contains(&path[0].as_str()) || OF_RUNS.contains(&path[0].as_str());
    if !is_known || LEFT.contains(&path[0].as_str()) {
        return;
    }
    sets.retain(|other, _| !parse_path(other).is_ok_and(|other| other.starts_with(&path)));
    sets.insert(patch.path.clone(), patch.value.toml());
}
