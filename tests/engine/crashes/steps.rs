//! Deaths between two steps.

use crate::common::Changed;
use stormglass::system::fact::Fact;

use crate::crashes::{RELAY, facts, fault, run};

#[test]
fn a_relay_that_dies_between_two_steps_leaves_exactly_what_those_steps_had_made_durable() {
    let published = |step: &str, when: &str| {
        let kill = fault(&format!(
            "kind = \"relay_crash\"\ntarget = \"relay\"\nstep = \"{step}\"\nwhen = \"{when}\"\n\
             at = \"500ms\"\nfor = \"20s\"\ndown = \"100ms\""
        ));
        // Orders at 100, ..., 900 ms; the round at 1s takes all nine.
        let (_, told) = facts(RELAY, 1, &kill);
        let mut copies = [0; 9];
        for (_, fact) in &told {
            if let Fact::Enqueued { order, .. } = fact {
                copies[*order as usize] += 1;
            }
        }
        let count = |wanted: fn(&Fact) -> bool| told.iter().filter(|(_, f)| wanted(f)).count();
        assert_eq!(count(|fact| matches!(fact, Fact::Killed { .. })), 1, "{step} {when}");
        assert_eq!(count(|fact| matches!(fact, Fact::Restarted { .. })), 1, "{step} {when}");
        assert_eq!(count(|fact| matches!(fact, Fact::Unprocessed { .. })), 0, "{step} {when}");
        assert_eq!(count(|fact| matches!(fact, Fact::Effect { .. })), 9, "one charge an order");
        copies
    };
    // Until the first event is published, nothing has happened.
    assert_eq!(published("take", "before"), [1; 9]);
    assert_eq!(published("take", "after"), [1; 9]);
    assert_eq!(published("publish", "before"), [1; 9]);
    // Published, but not marked: once more.
    assert_eq!(published("publish", "after"), [2, 1, 1, 1, 1, 1, 1, 1, 1]);
    assert_eq!(published("mark", "before"), [2; 9]);
    // Marked: never again.
    assert_eq!(published("mark", "after"), [1; 9]);
}

#[test]
fn a_worker_that_dies_between_two_steps_does_the_rest_again() {
    let counts = |step: &str, when: &str, keys: bool| {
        let kill = fault(&format!(
            "kind = \"worker_kill\"\ntarget = \"worker\"\nstep = \"{step}\"\nwhen = \"{when}\"\n\
             at = \"500ms\"\nfor = \"5s\"\ndown = \"2s\""
        ));
        let key = ", idempotency_key = \"order\"";
        let model = if keys { RELAY.to_owned() } else { RELAY.changed(key, "") };
        let (_, told) = facts(&model, 1, &kill);
        let count = |wanted: fn(&Fact) -> bool| told.iter().filter(|(_, f)| wanted(f)).count();
        assert_eq!(count(|fact| matches!(fact, Fact::Killed { .. })), 1, "{step} {when}");
        assert_eq!(count(|fact| matches!(fact, Fact::Unprocessed { .. })), 0, "{step} {when}");
        count(|fact| matches!(fact, Fact::Effect { .. }))
    };
    assert_eq!(counts("payment.charge", "before", false), 9, "nothing had happened");
    for (step, when) in [
        ("payment.charge", "after"),
        ("orders.transaction", "before"),
        ("orders.transaction", "after"),
        ("work.ack", "before"),
    ] {
        assert!(counts(step, when, false) > 9, "charged again after {when} {step}");
        assert_eq!(counts(step, when, true), 9, "a key makes it one charge: {when} {step}");
    }
}

#[test]
fn a_share_of_those_who_come_to_a_step_dies_and_times_limits_how_many() {
    let kills = |strength: &str| {
        let kill = fault(&format!(
            "kind = \"worker_kill\"\ntarget = \"api\"\nstep = \"orders.transaction\"\n\
             at = \"0s\"\nfor = \"100s\"\ndown = \"1ms\"\n{strength}"
        ));
        run(RELAY, 100, &kill).metrics.kills
    };
    assert_eq!(kills(""), 1);
    assert_eq!(kills("times = 3"), 3);
    // A fifth of 1000, sd 12.6: outside of 150..250 once in 15,000.
    let share = kills("share = \"20%\"");
    assert!((150..250).contains(&share), "{share}");
    assert_eq!(kills("share = \"20%\"\ntimes = 4"), 4);
}
