//! The map as CSV and as JSON.

use serde_json::{Value, json};

use super::{Report, words};
use crate::experiment::outage_map::harm::{Back, Harm};
use crate::experiment::outage_map::{Field, Mark};
use crate::fault::FaultText;
use crate::kernel::time::Span;
use crate::report::blast_radius::{part_json, parts_json};
use crate::report::columns::{Column, csv};
use crate::report::format::pretty;
use crate::system::trace::TRACE;

/// The version of the format of `map.json`.
const FORMAT: u32 = 1;

impl Report<'_> {
    /// `map.csv`: a row for each field, also of those that have no meaning.
    pub fn csv(&self) -> String {
        let rows: Vec<(usize, (&Field, &Mark))> =
            self.map.fields.iter().zip(self.marks).enumerate().collect();
        let text = |of: &dyn Fn(usize, &Field, &Mark) -> String| {
            let each = rows.iter().map(|(place, (field, mark))| of(*place, field, mark));
            each.collect::<Vec<String>>()
        };
        let of_harm = |of: &dyn Fn(&Harm) -> Option<f64>| {
            let each = rows.iter().map(|(_, (_, mark))| match mark {
                Mark::Harm(harm) => of(harm),
                _ => None,
            });
            each.collect::<Vec<Option<f64>>>()
        };
        let columns = [
            ("dependency", text(&|_, field, _| self.name(field).to_owned())),
            ("kind", text(&|_, field, _| self.program().node(field.node).kind.name().to_owned())),
            ("failure", text(&|_, field, _| field.mode.name().to_owned())),
            (
                "fault",
                text(&|_, field, _| {
                    let fault = field.fault.as_ref();
                    fault.map_or_else(String::new, |(fault, _)| fault.kind.name().to_owned())
                }),
            ),
            (
                "strength",
                text(&|_, field, _| {
                    let fault = field.fault.as_ref();
                    fault.map_or_else(String::new, |(fault, knob)| words::strength(fault, *knob))
                }),
            ),
            ("mark", text(&|_, _, mark| name_of(mark).to_owned())),
            (
                "harm",
                text(&|_, _, mark| match mark {
                    Mark::Harm(harm) => words::harm(self, harm),
                    _ => String::new(),
                }),
            ),
            ("harm_begins", text(&|place, _, _| words::threshold(self, place))),
            (
                "replay",
                text(&|_, field, mark| match mark {
                    Mark::Harm(_) => self.replay(field),
                    _ => String::new(),
                }),
            ),
        ];
        let numbers = [
            ("requests_worse_ratio", of_harm(&|harm| Some(harm.share()))),
            ("promises_broken", of_harm(&|harm| Some(harm.promises_broken() as f64))),
            ("late_s", of_harm(&|harm| Some(harm.late.seconds()))),
            ("undone", of_harm(&|harm| Some(harm.undone as f64))),
            ("back_s", of_harm(&|harm| back_s(harm.back))),
            ("spread_s", of_harm(&|harm| harm.spread.map(Span::seconds))),
        ];
        let texts = columns.into_iter().map(|(name, text)| Column::text(name, text.into_iter()));
        let numbers = numbers.into_iter().map(|(name, of)| Column::number(name, of.into_iter()));
        csv(&texts.chain(numbers).collect::<Vec<Column>>())
    }

    /// `map.json`.
    pub fn json(&self) -> String {
        let map = self.map;
        let single = self.worst();
        let single = single.iter().filter(|shown| shown.field.mode.is_loss());
        let single: Vec<Value> = single
            .map(|shown| (shown, self.operations(&shown.harm.takes_away())))
            .filter(|(_, operations)| !operations.is_empty())
            .map(|(shown, operations)| {
                json!({ "dependency": self.name(shown.field), "operations": operations })
            })
            .collect();
        let fields = map.fields.iter().zip(self.marks).enumerate();
        let fields: Vec<Value> =
            fields.map(|(place, (field, mark))| self.field_json(place, field, mark)).collect();
        let files = self.files.iter();
        let files: Vec<Value> = files
            .map(|(name, digest)| json!({ "name": name, "digest": digest.to_string() }))
            .collect();
        pretty(&json!({
            "format": FORMAT,
            "trace": TRACE,
            "stormglass": env!("CARGO_PKG_VERSION"),
            "of": self.of,
            "files": files,
            "seeds": self.calm.iter().map(|it| it.run.seed.to_string()).collect::<Vec<_>>(),
            "at_s": map.acts.0.seconds(),
            "for_s": map.acts.1.seconds(),
            "promises": map.cell.promises(),
            "promises_are_declared": !self.are_undeclared,
            "single_points": single,
            "fields": fields,
            "digest": self.digest.to_string(),
        }))
    }

    fn field_json(&self, place: usize, field: &Field, mark: &Mark) -> Value {
        let harm = match mark {
            Mark::Harm(harm) => self.harm_json(harm),
            _ => Value::Null,
        };
        let threshold = self.thresholds[place]
            .as_ref()
            .map(|found| json!({ "harms": found.harms, "harmless": found.harmless }));
        json!({
            "dependency": self.name(field),
            "kind": self.program().node(field.node).kind.name(),
            "failure": field.mode.name(),
            "mark": name_of(mark),
            "fault": field.fault.as_ref().map(|(fault, _)| fault_json(fault)),
            "harm": harm,
            "harm_begins": threshold,
            "replay": matches!(mark, Mark::Harm(_)).then(|| self.replay(field)),
        })
    }

    fn harm_json(&self, harm: &Harm) -> Value {
        let cell = self.map.cell;
        json!({
            "runs": harm.runs,
            "first_seed": harm.seed.to_string(),
            "fired": harm.fired,
            "requests": parts_json(&harm.requests),
            "requests_while_it_lasts": parts_json(&harm.during),
            "operations_while_it_lasts": harm.operations.iter().map(|(operation, it)| json!({
                "operation": cell.program.operation(*operation).name,
                "requests": parts_json(it),
            })).collect::<Vec<_>>(),
            "takes_away": self.operations(&harm.takes_away()),
            "milestones": cell.milestones.iter().zip(&harm.milestones).map(|(own, it)| json!({
                "name": own.name,
                "orders": part_json(*it),
            })).collect::<Vec<_>>(),
            "promises": cell.promises().iter().zip(&harm.promises).map(|(name, more)| json!({
                "name": name,
                "violations_more": more,
            })).collect::<Vec<_>>(),
            "late_s": harm.late.seconds(),
            "undone": harm.undone,
            "back_s": back_s(harm.back),
            "nodes_reached": harm.nodes,
            "spread_s": harm.spread.map(Span::seconds),
        })
    }
}

/// A fault with the keys that it has, as an experiment writes it.
fn fault_json(fault: &FaultText) -> Value {
    let written = toml::Value::try_from(fault).expect("a fault is plain data");
    serde_json::to_value(written).expect("a fault is plain data")
}

fn name_of(mark: &Mark) -> &'static str {
    match mark {
        Mark::NoMeaning => "no_meaning",
        Mark::NotReached => "not_reached",
        Mark::NoEffect => "no_effect",
        Mark::Unknown => "unknown",
        Mark::NoHarm => "no_harm",
        Mark::Harm(_) => "harm",
    }
}

/// How long after the failure was over requests fared worse; `None` if they did to the end.
fn back_s(back: Back) -> Option<f64> {
    match back {
        Back::AtOnce => Some(0.0),
        Back::After(span) => Some(span.seconds()),
        Back::NotInTime => None,
    }
}
