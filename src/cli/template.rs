//! What people begin with: models and experiments inside the program.

use super::Failure;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::documents::Documents;
use crate::model::document::{Sources, Value};
use crate::model::problem::Problem;

/// A model and an experiment to begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Template {
    /// A shop that charges cards at a payment provider.
    Shop,
    /// A page that is read through a cache.
    ReadPath,
    /// Jobs that are put into a queue and done by workers.
    Queue,
    /// Records that go through several stages.
    Pipeline,
}

/// The texts of a template.
pub(super) struct Texts {
    pub(super) model: &'static str,
    pub(super) experiment: &'static str,
    /// The arm that keeps its promises.
    pub(super) arm: &'static str,
}

impl Template {
    /// Its files.
    pub(super) fn texts(self) -> Texts {
        match self {
            Template::Shop => Texts {
                model: include_str!("templates/shop/model.toml"),
                experiment: include_str!("templates/shop/experiment.toml"),
                arm: "outbox",
            },
            Template::ReadPath => Texts {
                model: include_str!("templates/read-path/model.toml"),
                experiment: include_str!("templates/read-path/experiment.toml"),
                arm: "stale",
            },
            Template::Queue => Texts {
                model: include_str!("templates/queue/model.toml"),
                experiment: include_str!("templates/queue/experiment.toml"),
                arm: "key",
            },
            Template::Pipeline => Texts {
                model: include_str!("templates/pipeline/model.toml"),
                experiment: include_str!("templates/pipeline/experiment.toml"),
                arm: "patient",
            },
        }
    }

    /// What its experiment runs.
    pub(super) fn campaign(self) -> Result<Campaign, Failure> {
        let Texts { model, experiment, .. } = self.texts();
        let mut sources = Sources::default();
        let mut parse = |name: &str, text: &str| {
            let source = sources.add(name, text);
            Value::parse(&sources, source)
        };
        let no_files = |name: &str| Err(Problem::new(format!("there is no file `{name}`")));
        let campaign = parse("experiment.toml", experiment).and_then(|experiment| {
            let model = parse("model.toml", model)?;
            Campaign::new(&Documents { experiment, model, overrides: Vec::new() }, &no_files)
        });
        campaign.map_err(|problems| {
            let first = problems.first().map(Problem::to_string).unwrap_or_default();
            Failure::Machine(format!("error: the template is wrong, please report it: {first}"))
        })
    }
}
