//! Caches that never had anything to keep.

use std::collections::BTreeMap;

use super::number::{count, several};
use crate::experiment::plan::campaign::Campaign;
use crate::metric::Fills;

/// A warning for each cache and table of which every row that was to be kept had never been
/// written, with what its runs, each of some cell, were brought; empty if there is none.
pub fn empty_text<'r>(
    campaign: &Campaign,
    runs: impl Iterator<Item = (usize, &'r [Fills])>,
) -> String {
    // By cache and table, and by cell: what was kept, and how often there was nothing.
    let mut sums: BTreeMap<(&str, &str), BTreeMap<usize, [u64; 2]>> = BTreeMap::new();
    for (cell, fills) in runs {
        let program = &campaign.cells[cell].program;
        for one in fills {
            let cache = program.node(one.cache()).name.as_str();
            let table = program.tables[one.table().0 as usize].name.as_str();
            let sum = sums.entry((cache, table)).or_default().entry(cell).or_default();
            sum[0] += one.kept;
            sum[1] += one.empty;
        }
    }
    let line = |((cache, table), cells): (&(&str, &str), &BTreeMap<usize, [u64; 2]>)| {
        let idle: Vec<u64> = cells.values().filter(|sum| sum[0] == 0).map(|sum| sum[1]).collect();
        if idle.is_empty() {
            return String::new();
        }
        let of = match campaign.cells.len() {
            1 => String::new(),
            all => format!(" in {} of {}", idle.len(), several(all as u64, "combination")),
        };
        format!(
            "warning: cache `{cache}` never had a row of `{table}` to keep{of}: all {} reads \
             found\n         nothing, because nobody had written those rows; `initial` of the \
             table lets rows be\n         there from the start\n",
            count(idle.iter().sum()),
        )
    };
    sums.iter().map(line).collect()
}
