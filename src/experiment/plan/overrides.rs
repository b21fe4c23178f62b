//! What the command line sets, beside what an experiment sets itself.

use super::language::Experiment;
use super::patch::meets;
use super::variant::Variant;
use crate::model::document::Patch;
use crate::model::problem::Problem;

/// The most arms and levels that a warning names.
const NAMES_MAX: usize = 16;

/// Overrides that win over what arms or levels set: those arms may be no longer what they are
/// called.
pub(in crate::experiment) fn overruled(
    overrides: &[Patch],
    experiment: &Experiment,
) -> Vec<Problem> {
    let levels = experiment.factors.iter().flat_map(|factor| &factor.levels);
    let varied = experiment.varied().and_then(|factor| factor.levels.first());
    let variants: Vec<&Variant> = experiment.arms.iter().chain(levels).chain(varied).collect();
    let warning = |patch: &Patch| {
        let sets =
            |variant: &&&Variant| variant.set.iter().any(|own| meets(&own.path, &patch.path));
        let names: Vec<String> =
            variants.iter().filter(sets).map(|variant| format!("`{}`", variant.name)).collect();
        (!names.is_empty()).then(|| {
            let more = match names.len().saturating_sub(NAMES_MAX) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let names = names.iter().take(NAMES_MAX).cloned().collect::<Vec<_>>().join(", ");
            Problem::new(format!("this wins over what {names}{more} set"))
                .at(patch.path_at)
                .expected("their labels may no longer say what they are")
        })
    };
    overrides.iter().filter_map(warning).collect()
}

/// What arms, levels and the command line set of the arrivals that a ramp sets: one of both would
/// not be what results say.
pub(in crate::experiment) fn beside_a_ramp(
    overrides: &[Patch],
    experiment: &Experiment,
) -> Vec<Problem> {
    let Some(ramp) = &experiment.ramp else { return Vec::new() };
    let levels = experiment.factors.iter().flat_map(|factor| &factor.levels);
    let own = experiment.arms.iter().chain(levels).flat_map(|variant| &variant.set);
    let of_ramp = own.chain(overrides).filter(|patch| meets(&patch.path, &ramp.arrivals.path));
    let problem = |patch: &Patch| {
        Problem::new(format!("`[ramp]` sets `{}` already", ramp.arrivals.path))
            .at(patch.path_at)
            .expected("another path, or an experiment without `[ramp]`")
    };
    of_ramp.map(problem).collect()
}
