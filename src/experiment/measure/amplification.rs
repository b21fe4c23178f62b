//! Where retries multiply most: over several layers, not at one edge.
//!
//! Each layer multiplies what comes to it, so an edge sees the product of the attempts per call on
//! the way from the users to it (Google SRE book, chapter 22: three layers of three retries are 64
//! attempts). A node that is called by several edges has their mean, weighted by its calls.

use crate::metric::EdgeCounts;
use crate::model::program::{Edge, EdgeId, NodeId, Program};

/// How many attempts were made at an edge for each that would have been made without any retry, for
/// every edge; 1 for one that nobody called.
#[must_use]
pub fn of_edges(program: &Program, counts: &[EdgeCounts]) -> Vec<f64> {
    let mut known = vec![None; program.nodes.len()];
    let of_edge = |(index, edge): (usize, &Edge)| {
        let own = counts.get(index).map_or(1.0, per_call);
        let [from_others, in_all] = at_node(program, counts, edge.caller, &mut known);
        own * if edge.caller == edge.target { from_others } else { in_all }
    };
    program.edges.iter().enumerate().map(of_edge).collect()
}

/// The edge at which that is most, if it is more than one attempt. What relays ask is left out:
/// they ask for as long as a run lasts, whether anything happens or not.
#[must_use]
pub fn worst(program: &Program, counts: &[EdgeCounts]) -> Option<(EdgeId, f64)> {
    let is_of_a_relay = |index: usize| program.is_relay(program.edges[index].caller);
    let all = of_edges(program, counts).into_iter().enumerate();
    let all = all.filter(|&(index, times)| times > 1.0 && !is_of_a_relay(index));
    let worst = all.reduce(|most, other| if other.1 > most.1 { other } else { most })?;
    Some((EdgeId(worst.0 as u16), worst.1))
}

fn per_call(counts: &EdgeCounts) -> f64 {
    if counts.calls == 0 { 1.0 } else { counts.attempts as f64 / counts.calls as f64 }
}

/// By how much what comes to a node from others is multiplied, and what comes to it in all: its own
/// calls of itself multiply what others ask. What nobody calls, as users and the handlers of
/// messages, is where multiplying begins; so is a node that is asked about while it is looked at.
fn at_node(
    program: &Program,
    counts: &[EdgeCounts],
    node: NodeId,
    known: &mut [Option<[f64; 2]>],
) -> [f64; 2] {
    if let Some(times) = known[node.0 as usize] {
        return times;
    }
    known[node.0 as usize] = Some([1.0; 2]);
    let (mut attempts, mut without) = (0.0, 0.0);
    let mut times = [1.0; 2];
    for of_itself in [false, true] {
        for (edge, counts_of_edge) in program.edges.iter().zip(counts) {
            if edge.target == node
                && (edge.caller == node) == of_itself
                && counts_of_edge.attempts > 0
            {
                let made = counts_of_edge.attempts as f64;
                let before = match of_itself {
                    true => times[0],
                    false => at_node(program, counts, edge.caller, known)[1],
                };
                attempts += made;
                without += made / (per_call(counts_of_edge) * before);
            }
        }
        times[usize::from(of_itself)] = if without > 0.0 { attempts / without } else { 1.0 };
    }
    known[node.0 as usize] = Some(times);
    times
}
