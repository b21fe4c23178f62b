//! What the story of an order says of faults and of messages.

use crate::common::campaign;
use stormglass::experiment::run::case::Case;
use stormglass::experiment::run::story::{NoReturn, Point, Story, listen};
use stormglass::invariant::Violation;
use stormglass::kernel::time::Time;
use stormglass::report::story::{point, steps};
use stormglass::system::fact::Fact;

/// Users of two services that they reach over slow links; each service is idle between them.
const TWO: &str = r#"
[clients.users]
arrivals = { constant = "50/s" }
flow = [{ call = "fast.ask" }]
[clients.others]
arrivals = { constant = "50/s" }
flow = [{ call = "slow.ask" }]
[service.fast]
workers = 9
on.ask.steps = [{ work = "4ms" }, { reply = "ok" }]
[service.slow]
workers = 9
on.ask.steps = [{ work = "4ms" }, { reply = "ok" }]
[link.default]
latency = "3ms"
"#;

/// Tells a story of the first run with this fault.
fn story(fault: &str, order: u64, at: Time) -> (Story, String) {
    let experiment = format!(
        "name = \"stories\"\nmodel = \"inline\"\narrivals = \"1s\"\ndrain = \"5s\"\nseeds = \"1..2\"\n\
         [[faults]]\nat = \"0s\"\nfor = \"5s\"\n{fault}"
    );
    let campaign = campaign(&experiment, TWO);
    let cell = &campaign.cells[0];
    let (case, _) = Case::of(cell, 1);
    let story = listen(cell, &case, Violation { at, order: Some(order) }, false).0;
    let told = steps(&cell.program, &case.faults, &story);
    let sent = |fact: &Fact| matches!(fact, Fact::Sent(_));
    let first = story.facts.iter().find(|(_, fact)| sent(fact)).expect("somebody asks").0;
    let found = NoReturn {
        turns: None,
        at: Some(Point { at: first, against: None }),
        shares: Vec::new(),
        moments: 0,
    };
    let said = point(&cell.program, &told, &found);
    (story, said)
}

/// How often a fault acts in a story, and how many messages are sent in it.
fn acts(story: &Story) -> (usize, usize) {
    let count =
        |is: &dyn Fn(&Fact) -> bool| story.facts.iter().filter(|(_, fact)| is(fact)).count();
    let fired = count(&|fact| matches!(fact, Fact::FaultFired(..)));
    (fired, count(&|fact| matches!(fact, Fact::Sent(_))))
}

#[test]
fn a_fault_acts_in_the_stories_of_those_orders_only_that_it_strikes() {
    for (client, service) in [("users", "fast"), ("others", "slow")] {
        // Once for the work, and once for each message.
        for (fault, each) in [
            (format!("kind = \"slow\"\ntarget = \"{service}\"\nfactor = 2\n"), 1),
            (
                format!(
                    "kind = \"latency\"\ntarget = \"{client} -> {service}\"\nadded = \"9ms\"\n"
                ),
                2,
            ),
        ] {
            let acts: Vec<(usize, usize)> =
                (0..40).map(|order| acts(&story(&fault, order, Time::NEVER).0)).collect();
            assert!(acts.iter().all(|&(_, sent)| sent == 2), "a question and its answer");
            let struck = acts.iter().filter(|&&(fired, _)| fired == each).count();
            let spared = acts.iter().filter(|&&(fired, _)| fired == 0).count();
            assert_eq!((struck, spared), (20, 20), "{fault}{acts:?}");
        }
    }
}

#[test]
fn what_is_still_on_its_way_when_a_story_ends_is_not_said_to_be_lost() {
    let slow = "kind = \"slow\"\ntarget = \"slow\"\nfactor = 2\n";
    let lost = "kind = \"request_loss\"\ntarget = \"users -> fast\"\nshare = \"100%\"\n\
                [[faults]]\nat = \"0s\"\nfor = \"5s\"\nkind = \"request_loss\"\n\
                target = \"others -> slow\"\nshare = \"100%\"\n";
    let (whole, arrived) = story(slow, 0, Time::NEVER);
    assert!(!arrived.contains("way") && !arrived.contains("never arrives"), "{arrived}");
    let asked = whole.facts.iter().find(|(_, fact)| matches!(fact, Fact::Sent(_)));
    let soon = Time(asked.expect("somebody asks").0.0 + 1_000_000);
    let (_, under_way) = story(slow, 0, soon);
    assert!(
        under_way.contains("(still on its way)") && !under_way.contains("never"),
        "{under_way}"
    );
    let (_, lost) = story(lost, 0, soon);
    assert!(lost.contains("(never arrives)"), "{lost}");
}

/// A promise with a time is broken when the time is up, by nothing that happens then.
#[test]
fn the_story_of_a_promise_whose_time_is_up_ends_with_that() {
    let model = r#"
[clients.users]
arrivals = { constant = "10/s" }
flow = [{ call = "shop.buy" }]
[service.shop]
workers = 9
on.buy.steps = [
    { call = "bank.charge" },
    { work = "2s" },
    { transaction = "orders", write = ["order = paid"] },
    { reply = "ok" },
]
[database.orders]
connections = 9
commit = "1ms"
read = "1ms"
tables = { order = {} }
[provider.bank]
effects = ["charge"]
concurrency = 9
latency = "3ms"
"#;
    let experiment = "name = \"stories\"\nmodel = \"inline\"\narrivals = \"1s\"\nseeds = \"1..2\"\n\
                      [invariants.soon]\npromise = \"implies\"\nif = \"effect charge\"\n\
                      then = [\"orders.order = paid\"]\nwithin = \"500ms\"\n";
    let campaign = campaign(experiment, model);
    let cell = &campaign.cells[0];
    let first = campaign.run(0).invariants[0].first.expect("it takes two seconds");
    let (case, _) = Case::of(cell, 1);
    let told = steps(&cell.program, &case.faults, &listen(cell, &case, first, false).0);
    let last = told.last().expect("it says something");
    assert_eq!(last.at, first.at);
    assert!(format!("{last:?}").contains("the promise is broken"), "{told:?}");
}
