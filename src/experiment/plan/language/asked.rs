//! What an experiment asks, and what follows from that.

use super::{Experiment, Explored};
use crate::experiment::plan::cell::Cell;
use crate::experiment::plan::measure::WarmUp;
use crate::experiment::plan::seeds::Seeds;
use crate::experiment::plan::variant::Factor;
use crate::kernel::time::Span;
use crate::model::document::Value;
use crate::model::problem::Problem;

impl Experiment {
    /// Whether one of its parts says from when until when it looks at a run. Then it has no drain
    /// that it does not state.
    #[must_use]
    pub fn has_times_of_its_own(&self) -> bool {
        let Experiment { ramp, theory, published, .. } = self;
        self.explores().is_some() || ramp.is_some() || theory.is_some() || published.is_some()
    }

    /// The section that makes it run round by round until it knows something, instead of everything
    /// under all seeds.
    #[must_use]
    pub fn explores(&self) -> Option<&'static str> {
        let Explored { choose, sensitivity, rare, .. } = &self.explored;
        let search = self.search.as_ref().map(|search| search.section);
        let choose = || choose.as_ref().map(|_| "choose");
        let sensitivity = || sensitivity.as_ref().map(|_| "sensitivity");
        let rare = || rare.as_ref().map(|_| "rare");
        search.or_else(choose).or_else(sensitivity).or_else(rare)
    }

    /// What is varied beside its arms and factors.
    #[must_use]
    pub fn varied(&self) -> Option<&Factor> {
        let Explored { choose, sensitivity, .. } = &self.explored;
        let search = self.search.as_ref().map(|search| &search.factor);
        let choose = || choose.as_ref()?.factor.as_ref();
        search.or_else(choose).or_else(|| sensitivity.as_ref().map(|it| &it.factor))
    }

    /// What is wrong with the factor across the picture of its search.
    pub(in crate::experiment) fn wrong_across(&self) -> Option<Problem> {
        let across = self.search.as_ref()?.text.across.as_deref()?;
        let known: Vec<&str> = self.factors.iter().map(|factor| factor.name.as_str()).collect();
        (!known.contains(&across)).then(|| Problem::unknown("factor", across, &known))
    }

    /// Its seeds: as many as it says, or as what it asks needs at the most.
    pub(in crate::experiment) fn seeds_at_most(&self) -> Seeds {
        let Seeds(seeds) = &self.seeds;
        let Explored { choose, sensitivity, .. } = &self.explored;
        let search = self.search.as_ref().map(|search| search.text.seeds);
        let choose = || choose.as_ref().map(|choose| choose.text.seeds);
        let most = search.or_else(choose);
        match most.or_else(|| sensitivity.as_ref().map(|it| it.text.seeds)) {
            None => Seeds(seeds.clone()),
            Some(most) => Seeds(seeds.start..seeds.start.saturating_add(most)),
        }
    }

    /// That runs of this cell have what it asks for.
    ///
    /// # Errors
    /// If they have nothing of a name.
    pub(in crate::experiment) fn asks_for_what_is_there(
        &self,
        cell: &Cell,
        document: &Value,
    ) -> Result<(), Vec<Problem>> {
        let Explored { choose, sensitivity, rare, .. } = &self.explored;
        let placed = |section: &'static str| {
            move |problem: Problem| vec![problem.located(document, &[section])]
        };
        if let Some(search) = &self.search {
            search.outcome(cell).map_err(placed(search.section))?;
        }
        if let Some(choose) = choose {
            choose.judge(cell).map_err(placed("choose"))?;
        }
        if let Some(sensitivity) = sensitivity {
            sensitivity.outcome(cell).map_err(placed("sensitivity"))?;
        }
        if let Some(rare) = rare {
            rare.grows(&cell.program).map_err(placed("rare"))?;
        }
        Ok(())
    }

    /// When requests begin to count. An experiment that looks at a time of its own counts all.
    #[must_use]
    pub fn warm_up(&self) -> WarmUp {
        let default = match self.has_times_of_its_own() {
            true => WarmUp::After(Span::ZERO),
            false => WarmUp::Auto,
        };
        self.measure.warm_up.unwrap_or(default)
    }

    /// What is wrong with its warm-up.
    pub(in crate::experiment) fn wrong_warm_up(&self) -> Option<Problem> {
        let arrivals = self.arrivals;
        match self.warm_up() {
            WarmUp::After(span) if span >= arrivals && arrivals != Span::ZERO => {
                let problem = Problem::new(format!("nobody arrives after a warm-up of {span}"));
                let expected = format!("less than {arrivals}, the time for which users arrive");
                Some(problem.expected(expected))
            }
            WarmUp::Auto if self.has_times_of_its_own() => {
                let problem = Problem::new(
                    "a search, a ramp, a theory and published figures say when they look at a run",
                );
                Some(problem.expected("a length of time, such as \"30s\""))
            }
            WarmUp::After(_) | WarmUp::Auto => None,
        }
    }
}
