//! Equal values of few requests are no equivalence, and those of many are one.

use stormglass::experiment::comparison::compare;
use stormglass::experiment::statistics::verdict::Verdict;

use crate::common::{campaign, run_all};

/// What is said of an arm that fails 2% or 4% of its requests, of which there are so many a second
/// for 10 s: the verdict under each five seeds.
fn verdicts(rate: &str, failing: &str) -> Vec<Verdict> {
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
        assert!(!found.contains(&Verdict::Equivalent), "{failing}: {found:?}");
    }
}

#[test]
fn equal_shares_of_many_requests_are_equivalent() {
    assert_eq!(verdicts("1000/s", "0%"), [Verdict::Equivalent; 12]);
    let rare = verdicts("1000/s", "0.1%");
    assert_eq!(rare, [Verdict::Equivalent; 12], "far inside of one point");
}
