//! Equal values of few requests are no equivalence, and those of many are one.

use stormglass::experiment::compare::compare;
use stormglass::report::comparison::untested_text;
use stormglass::statistics::verdict::Conclusion;

use crate::common::{campaign, run_all};

/// What is said of an arm that fails 2% or 4% of its requests, of which there are so many a second
/// for 10 s: the verdict under each five seeds.
fn verdicts(rate: &str, failing: &str) -> Vec<Conclusion> {
    let model = format!(
        "[clients.users]\narrivals = {{ poisson = \"{rate}\" }}\n\
         flow = [{{ call = \"server.serve\" }}]\n[service.server]\nworkers = \"unlimited\"\n\
         on.serve.steps = [{{ work = \"1ms\" }}, {{ reply = \"ok\" }}]\n"
    );
    let rest = "otherwise = [{ work = \"1ms\" }, { reply = \"ok\" }]";
    let each = |first: u64| {
        let experiment = format!(
            "name = \"rare\"\nmodel = \"inline\"\narrivals = \"10s\"\nseeds = \"{first}..{}\"\n\
             [compare]\nprimary = [\"success_ratio\"]\n[arms.today]\n[arms.other.set]\n\
             \"service.server.on.serve.steps\" = [{{ when = {{ share_of_requests = \"{failing}\" \
             }}, then = [{{ reply = \"failed\" }}], {rest} }}]\n",
            first + 5
        );
        let campaign = campaign(&experiment, &model);
        let compared = compare(&campaign, &run_all(&campaign)).pairs;
        let success = compared.into_iter().find(|pair| pair.metric == "success_ratio");
        success.expect("it is primary").verdict
    };
    (0..12).map(|set| each(1 + 5 * set)).collect()
}

/// By chance alone nothing fails in some of these sets: with 50 requests of which 2% fail, in 36%.
#[test]
fn equal_shares_of_few_requests_are_undecided() {
    for failing in ["2%", "4%"] {
        let found = verdicts("1/s", failing);
        assert!(!found.contains(&Conclusion::Equivalent), "{failing}: {found:?}");
    }
}

#[test]
fn equal_shares_of_many_requests_are_equivalent() {
    assert_eq!(verdicts("1000/s", "0%"), [Conclusion::Equivalent; 12]);
    let rare = verdicts("1000/s", "0.1%");
    assert_eq!(rare, [Conclusion::Equivalent; 12], "far inside of one point");
}

/// The verdict of an arm of `model` whose success is compared, and what its run says, under seeds.
fn compared(model: &str, more: &str) -> (Conclusion, Option<f64>, String) {
    let experiment = format!(
        "name = \"alike\"\nmodel = \"inline\"\narrivals = \"10s\"\nmeasure.warm_up = \"0s\"\n\
         compare.primary = [\"success_ratio\"]\n{more}"
    );
    let campaign = campaign(&experiment, model);
    let pairs = compare(&campaign, &run_all(&campaign)).pairs;
    let said = untested_text(&campaign, &pairs);
    let success = pairs.into_iter().find(|pair| pair.metric == "success_ratio");
    let success = success.expect("it is primary");
    (success.verdict, success.p_equivalent, said)
}

const SERVER: &str = r#"
[clients.users]
arrivals = { poisson = "1000/s" }
flow = [{ call = "server.serve" }]
[service.server]
workers = "unlimited"
on.serve.steps = [{ work = "1ms" }, { reply = "ok" }]
"#;

/// One request of 90,000 fails, in one of nine runs.
#[test]
fn shares_that_differ_in_a_few_pairs_only_are_undecided() {
    let rare = "[arms.today]\n[arms.other.set]\n\"service.server.on.serve.steps\" = [{ when = \
                { share_of_requests = \"0.002%\" }, then = [{ reply = \"failed\" }], \
                otherwise = [{ work = \"1ms\" }, { reply = \"ok\" }] }]\n";
    let (verdict, p, _) = compared(SERVER, &format!("seeds = \"1..10\"\n{rare}"));
    assert_eq!((verdict, p), (Conclusion::Undecided, None));
}

#[test]
fn arms_of_which_no_fault_strikes_are_not_called_equivalent_and_it_is_said() {
    let faults = |rate: &str| {
        format!(
            "seeds = \"1..6\"\n[random_faults]\nfrom = \"1s\"\nuntil = \"9s\"\n\
             kinds.crash = {{ targets = [\"server\"], strikes = \"{rate}\", for = \"500ms\" }}\n\
             [arms.today]\n[arms.other]\n"
        )
    };
    let (verdict, _, said) = compared(SERVER, &faults("0.01/h"));
    assert_eq!(verdict, Conclusion::Undecided, "{said}");
    let warning = "warning: the faults that are drawn at random had an effect in no run of other \
                   and today:\n";
    assert!(said.starts_with(warning), "{said}");
    let (verdict, _, said) = compared(SERVER, &faults("30/min"));
    assert_eq!((verdict, said.as_str()), (Conclusion::Equivalent, ""));
}
