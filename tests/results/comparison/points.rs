//! Points that an experiment lists: what runs at them is what runs in the full factorial.

use super::single_server;
use crate::common::run_all;

#[test]
fn a_listed_point_is_the_same_as_among_all() {
    let all = single_server("");
    let listed = single_server("points = [\"load=most\"]\n");
    let wanted = |cell: usize| all.cells[cell].point == "load=most";
    let expected: Vec<_> = run_all(&all).into_iter().filter(|run| wanted(run.cell)).collect();
    let found = run_all(&listed);
    assert!(listed.cells.iter().all(|cell| cell.point == "load=most"));
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found.digest, expected.digest, "seed {}", found.seed);
    }
}

#[test]
fn points_run_in_the_order_of_the_list() {
    let listed = single_server("points = [\"load=most\", \"load=half\"]\n");
    let points: Vec<&str> = listed.cells.iter().map(|cell| cell.point.as_str()).collect();
    assert_eq!(points[..3], ["load=most"; 3]);
    assert_eq!(points[3..], ["load=half"; 3]);
}
