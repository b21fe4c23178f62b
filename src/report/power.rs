//! How many seeds a verdict takes, from a pilot, as a table and in a sentence.

use serde_json::{Value, json};

use super::arms::{column, plain};
use super::number::{self, Unit};
use super::table::{Align, Row, Table};
use crate::experiment::compare::power::{Needed, POWER};
use crate::experiment::plan::campaign::Campaign;

/// What the pilot says of each arm, one below the other.
pub fn table(campaign: &Campaign, needed: &[Needed]) -> Table {
    let columns = vec![
        column("arm", Align::Left, 0),
        column("metric", Align::Left, 0),
        column("differs by (sd)", Align::Right, 1),
        column("no difference", Align::Right, 1),
        column("seeds", Align::Right, 0),
    ];
    let row = |one: &Needed| {
        let cell = &campaign.cells[one.cell];
        let names = [cell.arm_label.as_str(), cell.point_label.as_str()];
        let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
        Row::Cells(vec![
            plain(names.join(", ")),
            plain(one.metric.clone()),
            plain(number::number(one.sd, Unit::Plain)),
            plain(format!("±{}", number::number(one.margin, Unit::Plain))),
            plain(one.seeds.map_or("–".to_owned(), number::count)),
        ])
    };
    Table { columns, rows: needed.iter().map(row).collect() }
}

/// The most seeds that anything takes, and what it is.
pub fn sentence(campaign: &Campaign, needed: &[Needed], pilot: usize) -> String {
    let most = needed.iter().filter(|one| one.seeds.is_some()).max_by_key(|one| one.seeds);
    let Some((one, seeds)) = most.and_then(|one| Some((one, one.seeds?))) else {
        return "The pilot says of no arm how many seeds a verdict takes.\n".to_owned();
    };
    let (has, power) = (campaign.seeds.len() as u64, number::number(POWER, Unit::Percent));
    let enough = if has >= seeds { "which it has" } else { "more than it has" };
    format!(
        "A verdict of the declared size takes {}, {enough} ({}), by `{}` of {}: then arms that are \
         equal come out equivalent in {power} of such experiments. From a pilot of {}.\n",
        number::several(seeds, "seed"),
        number::count(has),
        one.metric,
        campaign.cells[one.cell].arm_label,
        number::several(pilot as u64, "seed"),
    )
}

/// The same for programs.
pub fn json(campaign: &Campaign, needed: &[Needed]) -> Value {
    let one = |one: &Needed| {
        let cell = &campaign.cells[one.cell];
        json!({
            "arm": cell.arm,
            "point": cell.point,
            "metric": one.metric,
            "sd": one.sd,
            "margin": one.margin,
            "seeds": one.seeds,
        })
    };
    Value::Array(needed.iter().map(one).collect())
}
