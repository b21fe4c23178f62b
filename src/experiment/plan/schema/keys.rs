//! The keys of an experiment as types, of which its schema is derived.

use std::borrow::Cow;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema, schema_for};
use serde_json::json;

use crate::experiment::compare::language::CompareText;
use crate::experiment::judge::attribution::text::AttributionText;
use crate::experiment::judge::blast_radius::BlastRadiusText;
use crate::experiment::judge::metastability::MetastabilityText;
use crate::experiment::judge::sometimes::Sometimes;
use crate::experiment::measure::ramp::RampText;
use crate::experiment::plan::limits::LimitsText;
use crate::experiment::plan::measure::MeasureText;
use crate::experiment::plan::observe::ObserveText;
use crate::experiment::plan::seeds::Seeds;
use crate::experiment::plan::top::TOP;
use crate::experiment::price::language::PriceText;
use crate::experiment::search::choose::language::ChooseText;
use crate::experiment::search::language::SearchText;
use crate::experiment::search::limit::language::LimitText;
use crate::experiment::search::rare::language::RareText;
use crate::experiment::search::sensitivity::language::SensitivityText;
use crate::experiment::validation::language::PublishedText;
use crate::fault::{FaultText, RandomText};
use crate::invariant::WatchList;
use crate::kernel::time::Span;
use crate::metric::{MilestoneText, SloText};
use crate::model::quantity::TimeOfDay;
use crate::theory::TheoryText;

/// The schema of what is read.
pub(crate) fn derived_schema() -> Schema {
    let mut schema = schema_for!(Keys);
    // All but its name an experiment may have from another one.
    let without =
        [json!({ "required": ["extends"] }), json!({ "required": ["model", "arrivals"] })];
    schema.insert("required".to_owned(), json!(["name"]));
    schema.insert("anyOf".to_owned(), json!(without));
    schema
}

/// The keys of an experiment. Its parts are read one by one (`experiment::language`), so that an
/// error in one does not hide the others; this is the whole, for its schema.
#[derive(JsonSchema)]
#[schemars(title = "Stormglass experiment", deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is asked for")]
struct Keys {
    /// Another experiment, relative to this file, of which this one says only what is different.
    extends: Option<String>,
    /// Its name: results are written to `out/NAME`.
    name: String,
    /// What its pictures are called.
    title: Option<String>,
    /// What it answers.
    question: Option<String>,
    /// The model's file, relative to the experiment's.
    model: String,
    /// The seeds of its runs; `"1..31"` without it.
    seeds: Option<Seeds>,
    /// At which time of the day users begin to arrive.
    starts_at: Option<TimeOfDay>,
    /// For how long users arrive.
    arrivals: Span,
    /// How long a run goes on after the last arrival, if anything is left to happen; without it,
    /// as long as users arrive, and at least a minute. With a search, a ramp, a theory or published
    /// figures it is 0s without it.
    drain: Option<Span>,
    /// What every arm changes in the model.
    set: Option<Changes>,
    /// What is measured.
    #[schemars(default)]
    measure: MeasureText,
    /// What users are to have in the end, which is not when somebody answers.
    milestone: Option<IndexMap<String, MilestoneText>>,
    /// Service level objectives: which share of events is to be good over a window of time.
    slo: Option<IndexMap<String, SloText>>,
    /// What things cost that are counted in a run.
    price: Option<PriceText>,
    /// What goes wrong.
    #[schemars(default)]
    faults: Vec<FaultText>,
    /// What goes wrong at random, drawn for each seed.
    random_faults: Option<RandomText>,
    /// Which promises are watched.
    invariants: Option<WatchList>,
    /// What the metrics of every run must be, such as `amplification = "<= 1.3"` or
    /// `recovers = "within 30s"`.
    expect: Option<IndexMap<String, Bounds>>,
    /// What must happen in at least one run, such as `"crash"` or `"fault slow"`.
    sometimes: Option<Vec<SometimesName>>,
    /// When a run is given up.
    #[schemars(default)]
    limits: LimitsText,
    /// Each run is repeated without its faults, and labelled.
    metastability: Option<MetastabilityText>,
    /// Each run is repeated without its faults, and compared with that.
    blast_radius: Option<BlastRadiusText>,
    /// What is seen of runs beside what is measured of every run.
    observe: Option<ObserveText>,
    /// Each run is repeated without each of its causes: what spent the budget.
    attribution: Option<AttributionText>,
    /// What arms are compared by.
    #[schemars(default)]
    compare: CompareText,
    /// At which value of one quantity a share of the runs collapses.
    search: Option<SearchText>,
    /// How much steady load a system can take until an objective fails.
    limit: Option<LimitText>,
    /// Which of several designs is best.
    choose: Option<ChooseText>,
    /// Which of several quantities matters.
    sensitivity: Option<SensitivityText>,
    /// How likely something is that is too rare to wait for.
    rare: Option<RareText>,
    /// A load that goes up step by step, and down again.
    ramp: Option<RampText>,
    /// The closed form that the model follows.
    theory: Option<TheoryText>,
    /// Figures of others that the runs are compared with.
    published: Option<PublishedText>,
    /// The alternatives; without them the model itself is the only one.
    arms: Option<IndexMap<String, Arm>>,
    /// What is swept, each with its levels.
    factors: Option<IndexMap<String, IndexMap<String, Variant>>>,
    /// The combinations of levels that run, such as `"load=3 outage=4"`; all of them without it.
    points: Option<Vec<String>>,
}

/// A bound of a metric, or the bounds of a milestone by its metrics.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is asked for")]
enum Bounds {
    Bound(String),
    OfMilestone(IndexMap<String, String>),
}

/// Something that can happen.
struct SometimesName;

impl JsonSchema for SometimesName {
    fn schema_name() -> Cow<'static, str> {
        "Sometimes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Sometimes::names() })
    }
}

/// An arm.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is asked for")]
struct Arm {
    /// What pictures and tables call it.
    label: Option<String>,
    /// Another arm, with whose changes it begins.
    from: Option<String>,
    /// A configuration of another system, whose policies take the place of those of the model.
    import: Option<Configuration>,
    /// What it changes in the model, after what it imports.
    set: Option<Changes>,
}

/// The path of a configuration, or that with the names of its policies.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is asked for")]
enum Configuration {
    File(String),
    Policies(NamedPolicies),
}

/// A configuration, and which of its policies are meant.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is asked for")]
struct NamedPolicies {
    /// Its path, relative to the file in which it stands.
    file: String,
    /// Its format, if it cannot be recognised.
    format: Option<String>,
    /// Names of policies of the model, and of those of the file that take their places.
    policies: Option<IndexMap<String, String>>,
}

/// A level of a factor.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is asked for")]
struct Variant {
    /// What pictures and tables call it.
    label: Option<String>,
    /// Another level, with whose changes it begins.
    from: Option<String>,
    /// What it changes in the model.
    set: Option<Changes>,
}

/// New values by the path of what they replace, such as `"policy.checkout.timeout" = "1s"`.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is asked for")]
struct Changes(IndexMap<String, serde_json::Value>);

impl JsonSchema for Seeds {
    fn schema_name() -> Cow<'static, str> {
        "Seeds".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": Seeds::EXPECTED,
            "pattern": r"^\s*[0-9]+\s*\.\.\s*[0-9]+\s*$",
        })
    }
}
#[test]
fn the_schema_has_the_keys_that_are_read() {
    let schema = derived_schema();
    let keys = schema.get("properties").and_then(|keys| keys.as_object()).expect("an object");
    let mut keys: Vec<&str> = keys.keys().map(String::as_str).collect();
    let mut read = TOP.to_vec();
    keys.sort_unstable();
    read.sort_unstable();
    assert_eq!(keys, read);
}
