//! Verdicts on promises compare how often they break; equivalence is corrected; what was thrown
//! away makes nothing better.

use stormglass::experiment::compare::{Method, Pair, compare, next_seeds};
use stormglass::experiment::measure::summary::summarise;
use stormglass::experiment::plan::campaign::Campaign;
use stormglass::experiment::run::result::RunResult;
use stormglass::report::arms::arms_tables;
use stormglass::report::comparison::front;
use stormglass::report::comparison::{pairs_table, precision_text};
use stormglass::report::promises::{broken_text, unwatched_text};
use stormglass::statistics::equivalence::equivalence_t;
use stormglass::statistics::interval::Interval;
use stormglass::statistics::multiplicity::holm;
use stormglass::statistics::paired::paired_t;
use stormglass::statistics::verdict::Conclusion;

use crate::common;
use crate::comparison::coverage::{Unit, holds};

/// Two arms of a shop that charges, under so many seeds.
pub(crate) fn two_arms(seeds: usize, declared: &str) -> (Campaign, Vec<RunResult>) {
    let experiment = format!(
        r#"
name = "charges"
model = "inline"
arrivals = "2s"
drain = "1s"
seeds = "1..{}"
{declared}
[invariants]
one_charge = {{ effect = "charge" }}
[arms.today]
[arms.other]
"#,
        seeds + 1
    );
    let campaign = common::campaign(&experiment, crate::comparison::coverage::SHOP);
    let run = campaign.run(0);
    let results = (0..2 * seeds).map(|number| RunResult { cell: number / seeds, ..run.clone() });
    let results = results.collect();
    (campaign, results)
}

/// The verdict where the runs of the arm called `other` and of the baseline break the promise so
/// often, of 10,000 operations each.
fn on_promise(declared: &str, other: &[u64], today: &[u64]) -> Pair {
    let (campaign, mut results) = two_arms(other.len(), declared);
    for (run, violations) in results.iter_mut().zip(today.iter().chain(other)) {
        run.invariants[0].violations = *violations;
        run.invariants[0].exposure = 10_000;
    }
    let pairs = compare(&campaign, &results).pairs;
    pairs.into_iter().find(|pair| pair.metric == "one_charge_per_10000").expect("a promise")
}

const ONE: &str = "[compare]\nprimary = [\"one_charge_per_10000\"]";

#[test]
fn a_promise_that_breaks_more_often_is_worse_even_where_every_run_breaks_it() {
    // Each broke in every run, and was undecided: 486 against 1,004, and thousands against none.
    let cases: [(&[u64], &[u64]); 3] = [
        (&[1004, 990, 1021, 1013, 998, 1007], &[486, 440, 530, 470, 510, 480]),
        (&[7_960, 8_020, 7_980], &[0, 0, 0]),
        (&[2_100, 800, 4_900, 3_200, 600, 1_900, 3_900, 1_200, 1_180], &[0; 9]),
    ];
    for (other, today) in cases {
        let pair = on_promise(ONE, other, today);
        assert_eq!(pair.verdict, Conclusion::Worse, "{pair:?}");
        assert_eq!(
            on_promise(ONE, today, other).verdict,
            Conclusion::Better,
            "the other way round"
        );
    }
    let (campaign, results) = two_arms(3, "");
    let primary = compare(&campaign, &results).pairs.into_iter().filter(|pair| pair.is_primary);
    let names: Vec<String> = primary.map(|pair| pair.metric).collect();
    assert!(names.contains(&"one_charge_per_10000".to_owned()), "{names:?}");
    assert!(!names.contains(&"one_charge_violated".to_owned()), "{names:?}");
}

#[test]
fn few_clusters_decide_by_their_number_and_equal_counts_are_no_certainty() {
    let mut few = [0; 30];
    few[..5].fill(400);
    let pair = on_promise(ONE, &few, &[0; 30]);
    assert_eq!(
        (pair.method, pair.interval, pair.verdict),
        (Method::SignFlip, None, Conclusion::Undecided)
    );
    assert_eq!(pair.p, Some(2.0 / 32.0));
    few[5..8].fill(1);
    let pair = on_promise(ONE, &few, &[0; 30]);
    assert_eq!((pair.p, pair.verdict), (Some(2.0 / 256.0), Conclusion::Worse));
    // One violation in each of three runs: no variance was seen, and nothing is certain.
    let pair = on_promise(ONE, &[1, 1, 1], &[0, 0, 0]);
    assert_eq!(pair.verdict, Conclusion::Undecided, "{pair:?}");
    assert!(pair.interval.expect("all runs break it").contains(0.0), "{pair:?}");
}

#[test]
fn what_was_not_seen_or_could_not_happen_is_not_equal() {
    assert_eq!(on_promise(ONE, &[0; 30], &[0; 30]).verdict, Conclusion::NoneSeen);
    let (campaign, mut results) = two_arms(30, ONE);
    results[30..].iter_mut().for_each(|run| run.invariants[0].exposure = 0);
    let compared = compare(&campaign, &results);
    let pair = compared.pairs.iter().find(|pair| pair.is_primary).expect("one");
    assert_eq!(pair.verdict, Conclusion::NotExercised);
    let table = pairs_table(&campaign, &compared.pairs).expect("two arms").markdown();
    assert!(table.contains("| other | not exercised |"), "{table}");
    let summaries = summarise(&campaign, &results);
    let tables = arms_tables(&campaign, &summaries);
    let table = tables.last().expect("a promise").markdown();
    assert!(table.contains("not exercised") && table.contains("0 of 30 runs (<10%)"), "{table}");
    let text = broken_text(&campaign, &summaries);
    assert_eq!(text, "double charges: none in 1 of 2 arms, not exercised in 1\n");
}

#[test]
fn arms_that_are_alike_are_told_apart_in_at_most_five_of_a_hundred() {
    // Runs break it with a probability, and then a hundred times or so at once.
    for probability in [0.002, 0.1, 0.5, 1.0] {
        let runs = |unit: &mut Unit<'_>, from: u16| -> Vec<f64> {
            let violations = (0..30).map(|run| match unit(from + 2 * run) <= probability {
                true => 60.0 - 30.0 * libm::log(unit(from + 2 * run + 1)),
                false => 0.0,
            });
            violations.collect()
        };
        let declared = "[compare]\nprimary = [\"one_charge_violated\"]";
        let (campaign, results) = two_arms(30, declared);
        let apart = holds(200, |unit| {
            let mut results = results.clone();
            for (run, violations) in
                results.iter_mut().zip(runs(unit, 0).into_iter().chain(runs(unit, 100)))
            {
                run.invariants[0].violations = violations as u64;
                run.invariants[0].exposure = 10_000;
            }
            // As an exploratory metric it is not corrected and not bootstrapped.
            let pairs = compare(&campaign, &results).pairs;
            let pair = pairs.iter().find(|pair| pair.metric == "one_charge_per_10000");
            pair.and_then(|pair| pair.p).is_some_and(|p| p <= 0.05)
        });
        // 5% of 200 and three standard errors.
        assert!(apart <= 19, "{apart} of 200 at {probability}");
    }
}

/// Results of which one metric has these values under each seed.
pub(crate) fn set(
    campaign: &Campaign,
    results: &mut [RunResult],
    metric: &str,
    values: [&[f64]; 2],
) {
    let index = campaign.metrics().find(metric).expect(metric);
    for (run, value) in results.iter_mut().zip(values[0].iter().chain(values[1])) {
        run.values[index] = Some(*value);
    }
}

#[test]
fn equivalence_is_corrected_for_the_number_of_comparisons() {
    // The interval of the difference ends just inside the margin of 5%: p is 0.03.
    let today: Vec<f64> = (0..30).map(|seed| 100.0 + f64::from(seed % 3)).collect();
    let other: Vec<f64> =
        today.iter().enumerate().map(|(seed, v)| v + [1.7, 3.0, 9.0][seed % 3]).collect();
    let verdict = |primary: &str, margin: f64| {
        let names = ["latency_p50_ms", "latency_p99_ms"];
        let declared = format!(
            "[compare]\nprimary = [{primary}]\n[compare.equivalent]\n\
             latency_p50_ms = {margin}\nlatency_p99_ms = {margin}\n"
        );
        let (campaign, mut results) = two_arms(30, &declared);
        for name in names {
            set(&campaign, &mut results, name, [&today, &other]);
        }
        let pairs = compare(&campaign, &results).pairs;
        let pair = pairs.into_iter().find(|pair| pair.metric == names[0]).expect("compared");
        (pair.verdict, pair.p_equivalent.expect("it has one"))
    };
    let alone = "\"latency_p50_ms\"";
    let both = "\"latency_p50_ms\", \"latency_p99_ms\"";
    let margin = 5.87;
    let (said, p) = verdict(alone, margin);
    assert!((0.025..0.05).contains(&p), "{p}");
    assert_eq!(said, Conclusion::Equivalent);
    assert_eq!(verdict(both, margin).0, Conclusion::Undecided);
    assert_eq!(verdict(both, 8.0).0, Conclusion::Equivalent);
}

#[test]
fn any_of_two_at_the_margin_is_called_equivalent_in_at_most_five_of_a_hundred() {
    let region = Interval { low: -1.0, high: 1.0 };
    let any = holds(1_000, |unit| {
        let p_values: Vec<f64> = [0, 100]
            .into_iter()
            .map(|from| {
                let normal = |unit: &mut Unit<'_>, at: u16| {
                    let angle = 2.0 * std::f64::consts::PI * unit(at + 30);
                    (-2.0 * libm::log(unit(at))).sqrt() * libm::cos(angle)
                };
                let sample: Vec<f64> = (0..30).map(|run| 1.0 + normal(unit, from + run)).collect();
                let found = paired_t(&sample, &[0.0; 30], 0.95).unwrap();
                equivalence_t(found.difference.mean, found.error, 29.0, region).unwrap()
            })
            .collect();
        holm(&p_values).unwrap().iter().any(|p| *p <= 0.05)
    });
    // Each one-sided error is 2.5%, together they are 2.5% too; without a correction 4.9%.
    assert!(any <= 40, "{any} of 1000");
}

#[test]
fn what_looks_better_because_more_was_thrown_away_is_not_called_better() {
    let declared = "[compare]\nprimary = [\"oldest_message_s\", \"latency_p99_ms\"]";
    let high: Vec<f64> = (0..9).map(|seed| 92.0 + f64::from(seed % 4)).collect();
    let low: Vec<f64> = (0..9).map(|seed| 45.0 + f64::from(seed % 4)).collect();
    let verdict = |metric: &str, letters: f64, success: f64, turned: bool| {
        let (campaign, mut results) = two_arms(9, declared);
        let values = if turned { [&low[..], &high[..]] } else { [&high[..], &low[..]] };
        set(&campaign, &mut results, metric, values);
        let mut dead = [[0.0; 9], [0.0; 9]];
        dead[usize::from(!turned)] = [letters; 9];
        set(&campaign, &mut results, "dead_letters", [&dead[0], &dead[1]]);
        let mut ok = [[0.99; 9], [0.99; 9]];
        ok[usize::from(!turned)] = [success; 9];
        set(&campaign, &mut results, "success_ratio", [&ok[0], &ok[1]]);
        let compared = compare(&campaign, &results);
        let table = pairs_table(&campaign, &compared.pairs).expect("two arms").markdown();
        let pair = compared.pairs.into_iter().find(|pair| pair.metric == metric);
        (pair.expect("compared").verdict, table)
    };
    assert_eq!(verdict("oldest_message_s", 0.0, 0.99, false).0, Conclusion::Better);
    let (said, table) = verdict("oldest_message_s", 2_198.0, 0.99, false);
    assert_eq!(said, Conclusion::Confounded);
    assert!(table.contains("lost: dead letters | 2,198 | baseline 0 |"), "{table}");
    assert_eq!(verdict("oldest_message_s", 1.0, 0.99, true).0, Conclusion::Confounded);
    assert_eq!(verdict("oldest_message_s", 0.0, 0.99, true).0, Conclusion::Worse);
    // What is put aside asks nobody for anything, and what is refused neither.
    for metric in [
        "latency_p99_ms",
        "wait_mean_ms",
        "wait_p99_ms",
        "waiting_mean",
        "working_mean",
        "amplification",
        "edge_amplification",
        "timeouts_per_request",
        "recovery_s",
    ] {
        let said = |letters, success| verdict(metric, letters, success, false).0;
        assert_eq!(said(2_198.0, 0.99), Conclusion::Confounded, "{metric}");
        assert_eq!(said(0.0, 0.60), Conclusion::Confounded, "{metric}");
        assert_eq!(said(0.0, 0.999), Conclusion::Better, "{metric}");
    }
}

#[test]
fn seeds_are_added_until_the_difference_that_is_asked_about_is_precise() {
    let declared = "[compare]\nprimary = [\"success_ratio\"]\nprecision = {}";
    let (campaign, mut results) = two_arms(30, declared);
    let wave = |sign: f64| -> Vec<f64> {
        (0..30).map(|seed| 0.5 + sign * if seed % 2 == 0 { 0.04 } else { -0.04 }).collect()
    };
    // Each arm is known to ±1.5 points; where they go the same way, their difference exactly.
    set(&campaign, &mut results, "success_ratio", [&wave(1.0), &wave(1.0)]);
    assert_eq!(next_seeds(&campaign, &results), None);
    // Where they go opposite ways, it is known to ±3 points only.
    set(&campaign, &mut results, "success_ratio", [&wave(1.0), &wave(-1.0)]);
    assert_eq!(next_seeds(&campaign, &results), Some(60));
    let text = precision_text(&campaign, &compare(&campaign, &results));
    assert!(text.contains("  success_ratio of other against today\n"), "{text}");
}

#[test]
fn an_arm_that_is_hardly_watched_any_more_is_a_warning() {
    let (campaign, mut results) = two_arms(2, "");
    let mut warned = |requests: u64, ok: u64| {
        for (run, exposure) in results.iter_mut().zip([1_225, 1_225, 20, 20]) {
            run.invariants[0].exposure = exposure;
            (run.metrics.requests, run.metrics.ok) = (2_000, 1_900);
        }
        for run in &mut results[2..] {
            (run.metrics.requests, run.metrics.ok) = (requests, ok);
        }
        unwatched_text(&campaign, &summarise(&campaign, &results))
    };
    let text = warned(2_000, 1_900);
    assert!(text.contains("other 40 times in 4,000 requests"), "{text}");
    assert!(text.contains("today 2,450 times in 4,000 requests"), "{text}");
    assert_eq!(warned(2_000, 30), "", "what fails is not exposed");
    assert_eq!(warned(40, 38), "", "who is not asked is not exposed");
}

/// Orders are paid from a queue that gives up after five deliveries. While payments hang, a breaker
/// lets each delivery fail at once, so the five are soon used up.
/// Payments are slow for most of the time, with and without a breaker in front of them.
const BREAKER: &str = r#"
name = "breaker"
model = "inline"
arrivals = "60s"
drain = "80s"
seeds = "1..7"
[compare]
primary = ["oldest_message_s", "accepted_per_10000"]
pareto = ["oldest_message_s", "success_ratio"]
[[faults]]
kind = "slow"
target = "payment"
factor = 1000
at = "5s"
for = "45s"
[invariants.accepted]
promise = "accepted_order_kept"
label = "orders forgotten"
accepted = "shop.buy"
order = "orders.order"
settled = "orders.order = paid"
[arms.none]
[arms.breaker.set."policy.payment.breaker"]
failure_ratio = 0.5
window = "10s"
minimum = 5
open_for = "8s"
probes = 1
"#;

/// Orders are accepted, and paid for behind a queue that gives a message up after five deliveries.
const QUEUED_PAYMENTS: &str = r#"
[clients.users]
arrivals = { poisson = "10/s" }
flow = [{ call = "shop.buy", policy = "internal" }]
[service.shop]
workers = 20
[service.shop.on.buy]
steps = [
  { transaction = "orders", policy = "internal", once = "order", write = [
    "order = accepted", "outbox = order accepted",
  ] },
  { reply = "ok" },
]
[database.orders]
connections = 16
commit = "exp 2ms"
read = "exp 500us"
flush = "each_commit"
tables = { order = {} }
[outbox.relay]
database = "orders"
queue = "events"
poll = "50ms"
batch = 100
policy = "internal"
[queue.events]
visibility = "90s"
max_receives = 5
redelivery = "1s"
[service.payer]
workers = 400
takes = "events"
steps = [
  { call = "payment.charge", policy = "payment" },
  { transaction = "orders", policy = "internal", write = ["order = paid"] },
  { ack = true, policy = "internal" },
]
[provider.payment]
concurrency = 1000
latency = "20ms"
effects = ["charge"]
[policy.internal]
timeout = "1s"
[policy.payment]
timeout = "12s"
"#;

#[test]
fn a_breaker_in_front_of_a_queue_is_not_better_for_throwing_orders_away() {
    let campaign = common::campaign(BREAKER, QUEUED_PAYMENTS);
    let results = common::run_all(&campaign);
    let compared = compare(&campaign, &results);
    let of = |metric: &str| compared.pairs.iter().find(|pair| pair.metric == metric).unwrap();
    let oldest = of("oldest_message_s");
    assert!(oldest.interval.is_some_and(|it| it.high < -1.0), "it looks better: {oldest:?}");
    assert_eq!(oldest.verdict, Conclusion::Confounded);
    assert_eq!(of("accepted_per_10000").verdict, Conclusion::Worse);
    let better = compared.pairs.iter().filter(|pair| pair.verdict == Conclusion::Better);
    let better: Vec<&str> = better.map(|pair| pair.metric.as_str()).collect();
    assert!(better.is_empty(), "nothing of it is better: {better:?}");
    // Nor does it beat an arm that keeps all of its orders.
    let [none, breaker] = [0, 1].map(|arm| &compared.front[arm]);
    assert!(breaker.means[0] < none.means[0] && breaker.means[1] == none.means[1]);
    assert_eq!((none.dominated_by, none.ranks[0], breaker.ranks[0]), (None, Some(1), Some(1)));
    let table = front::table(&campaign, &compared).expect("a front is declared").text(100, false);
    assert!(!table.contains("beaten by"), "{table}");
    assert!(table.contains("‥ lost: dead letters") && table.contains("least 0"), "{table}");
    let table = pairs_table(&campaign, &compared.pairs).expect("two arms").text(100, false);
    assert!(table.contains("‥ lost: dead letters") && table.contains("confounded"), "{table}");
    assert!(table.contains("‥ lost: orders forgotten per 10,000"), "{table}");
}
