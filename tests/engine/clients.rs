//! When users come, what they are about, how long things take: against closed forms.
//!
//! Seeds are fixed. Where a bound is statistical, a right program would break it with a probability
//! of at most one in a million for each bound, by the normal approximation unless said otherwise.

use std::collections::BTreeMap;

use crate::common::{Changed, campaign, campaign_reading, run_all, runs};
use stormglass::experiment::plan::campaign::Campaign;
use stormglass::experiment::run::result::RunResult;
use stormglass::kernel::draw::{Draws, Purpose};
use stormglass::kernel::sample::Distribution;
use stormglass::kernel::time::Time;
use stormglass::model::problem::Problem;
use stormglass::system::fact::Fact;
use stormglass::system::{Observer, World};

/// Users who ask a server that does as the steps say, one request each.
fn server(clients: &str, steps: &str) -> String {
    format!(
        "[clients.users]\nflow = [{{ call = \"server.serve\" }}]\n{clients}\n\
         [service.server]\nworkers = \"unlimited\"\n\
         on.serve.steps = [{steps}{{ reply = \"ok\" }}]\n"
    )
}

fn experiment(seconds: u32, seeds: u32) -> String {
    format!(
        "name = \"clients\"\nmodel = \"inline\"\narrivals = \"{seconds}s\"\ndrain = \"30s\"\n\
         seeds = \"1..{}\"\n[measure]\nwindow = \"1s\"\n",
        seeds + 1
    )
}

/// How many users came in each second.
fn counts(run: &RunResult, seconds: usize) -> Vec<f64> {
    let count = |second: usize| run.metrics.windows.get(second).map_or(0, |window| window.asked);
    (0..seconds).map(|second| count(second) as f64).collect()
}

/// Whether counts are those of a Poisson process with these means: a chi-squared test at five
/// standard deviations, which 40 and more windows exceed less than once in 10,000 times.
fn assert_poisson(counts: &[f64], means: &[f64]) {
    let squared = |(count, mean): (&f64, &f64)| (count - mean) * (count - mean) / mean;
    let sum: f64 = counts.iter().zip(means).map(squared).sum();
    let (mean, deviation) = (means.len() as f64, (2.0 * means.len() as f64).sqrt());
    assert!((sum - mean).abs() < 5.0 * deviation, "{sum} for {mean} windows: {counts:?}");
}

/// Whether a number of successes is that of so many trials.
fn assert_binomial(successes: u64, trials: u64, share: f64) {
    let (mean, trials) = (trials as f64 * share, trials as f64);
    let bound = 5.0 * (trials * share * (1.0 - share)).sqrt();
    assert!((successes as f64 - mean).abs() < bound, "{successes} of {trials}, not {mean}");
}

#[test]
fn a_profile_has_the_integral_of_its_steps_ramps_and_spikes() {
    let clients = r#"arrivals = { profile = [
  { at = "0s", rate = "100/s" },
  { at = "10s", rate = "100/s", until = "30s", to = "500/s" },
  { at = "33s", rate = "2000/s", until = "35s" },
  { at = "38s", rate = "500/s", until = "48s", to = "0/s" },
  { at = "49s", rate = "50/s" },
] }"#;
    let means: Vec<f64> = (0..50)
        .map(|second| match second {
            0..10 => 100.0,
            10..30 => 100.0 + 20.0 * (f64::from(second - 10) + 0.5),
            33..35 => 2000.0,
            30..38 => 500.0,
            38..48 => 50.0 * (f64::from(48 - second) - 0.5),
            48 => 0.0,
            _ => 50.0,
        })
        .collect();
    let run = &runs(&experiment(50, 1), &server(clients, ""))[0];
    let counts = counts(run, 50);
    assert_eq!(counts[48], 0.0);
    let busy: Vec<(f64, f64)> =
        counts.into_iter().zip(means).filter(|&(_, mean)| mean > 0.0).collect();
    let (counts, means): (Vec<f64>, Vec<f64>) = busy.into_iter().unzip();
    assert_poisson(&counts, &means);
}

#[test]
fn a_daily_pattern_has_the_integral_of_its_cosine() {
    let clients = r#"arrivals = { daily = { mean = "200/s", amplitude = "80%", period = "20s", peak = "5s", start = "3s" } }"#;
    let turn = std::f64::consts::TAU / 20.0;
    let integral = |second: f64| second + 0.8 / turn * libm::sin((second + 3.0 - 5.0) * turn);
    let mean = |second: i32| 200.0 * (integral(f64::from(second) + 1.0) - integral(second.into()));
    let means: Vec<f64> = (0..60).map(mean).collect();
    let run = &runs(&experiment(60, 1), &server(clients, ""))[0];
    assert_poisson(&counts(run, 60), &means);
}

/// Heffes and Lucantoni, "A Markov modulated characterization of packetized voice and data
/// traffic", IEEE JSAC 4 (1986), section III: with rates `l`, and states left at the rates `r`, the
/// variance of the count of `t` seconds is its mean times
/// `1 + 2 r1 r2 (l1 - l2)^2 / (s^2 (l1 r2 + l2 r1)) (1 - (1 - exp(-s t)) / (s t))`, `s = r1 + r2`.
#[test]
fn bursts_have_the_mean_and_the_dispersion_of_a_two_state_process() {
    let clients = r#"arrivals = { bursts = { calm = "10/s", burst = "100/s", calm_for = "1s", burst_for = "250ms" } }"#;
    let (l, r) = ([10.0, 100.0], [1.0, 4.0]);
    let rate: f64 = (l[0] * r[1] + l[1] * r[0]) / (r[0] + r[1]);
    let sum: f64 = r[0] + r[1];
    let limit = 2.0 * r[0] * r[1] * (l[0] - l[1]) * (l[0] - l[1])
        / (sum * sum * (l[0] * r[1] + l[1] * r[0]));
    let dispersion = 1.0 + limit * (1.0 - (1.0 - libm::exp(-sum)) / sum);
    let found: Vec<f64> = runs(&experiment(250, 4), &server(clients, ""))
        .iter()
        .flat_map(|run| counts(run, 250))
        .collect();
    let n = found.len() as f64;
    let mean = found.iter().sum::<f64>() / n;
    let squares = found.iter().map(|count| (count - mean) * (count - mean));
    let variance = squares.sum::<f64>() / (n - 1.0);
    // Over 1000 s the count has the dispersion 1 + limit: five deviations of its mean.
    let bound = 5.0 * ((1.0 + limit) * rate / n).sqrt();
    assert!((mean - rate).abs() < bound, "{mean}/s, not {rate}/s");
    // The counts are nearly independent and their kurtosis is below 6: five deviations.
    let ratio = variance / mean / dispersion;
    assert!((ratio - 1.0).abs() < 5.0 * (5.0 / n).sqrt(), "{} / {dispersion}", variance / mean);
}

#[test]
fn an_open_loop_keeps_its_load_whatever_the_system_does() {
    let bursts =
        r#"{ bursts = { calm = "20/s", burst = "200/s", calm_for = "1s", burst_for = "250ms" } }"#;
    let daily = r#"{ daily = { mean = "50/s", amplitude = 1, period = "10s", peak = "2s" } }"#;
    for arrivals in [bursts, daily] {
        let of = |steps: &str| {
            let clients = format!("arrivals = {arrivals}");
            counts(&runs(&experiment(30, 1), &server(&clients, steps))[0], 30)
        };
        assert_eq!(of(""), of("{ work = \"exp 5s\" }, "));
    }
}

/// The interactive response time law `N = X (R + Z)` (Denning and Buzen, "The operational analysis
/// of queueing network models", Computing Surveys 10 (1978), section 5).
#[test]
fn a_closed_loop_obeys_the_interactive_response_time_law() {
    let clients = "arrivals = { closed = { users = 50, think = \"exp 1s\" } }";
    let throughput = |work: &str| {
        let steps = format!("{{ work = \"exp {work}\" }}, ");
        let model = server(clients, &steps).changed("\"unlimited\"", "10");
        let run = &runs(&experiment(200, 1), &model)[0];
        let metrics = &run.metrics;
        assert_eq!(metrics.requests, metrics.ok);
        let throughput = metrics.ok as f64 / 200.0;
        let response = metrics.latency_total as f64 / 1e9 / metrics.ok as f64;
        let users = throughput * (response + 1.0);
        // The error is that of the mean of the thinking times, 1 / sqrt(2000) at the least, and of
        // the ends of the run: the last rounds of 50 users.
        assert!((users / 50.0 - 1.0).abs() < 0.1, "{users} users at {work}");
        throughput
    };
    let (fast, slow) = (throughput("20ms"), throughput("1s"));
    assert!((fast - 49.0).abs() < 3.0, "{fast}/s");
    // A slow system serves what its ten workers can; the users wait instead of coming.
    assert!((slow - 10.0).abs() < 1.2, "{slow}/s");
}

#[test]
fn the_users_of_a_closed_loop_are_the_same_in_every_run() {
    let clients = "arrivals = { closed = { users = 3, think = \"1s\" } }";
    let model = server(clients, "{ work = \"exp 100ms\" }, ");
    let twice = [runs(&experiment(20, 1), &model), runs(&experiment(20, 1), &model)];
    assert_eq!(twice[0], twice[1]);
    let requests = twice[0][0].metrics.requests;
    assert!((45..=57).contains(&requests), "{requests} rounds of about 1.1s in 20s");
}

#[test]
fn a_mix_is_chosen_by_its_weights() {
    let model = r#"
[clients.users]
arrivals = { poisson = "500/s" }
mix = [
  { weight = 9, flow = [{ call = "server.read" }] },
  { weight = 0, flow = [{ call = "server.never" }] },
  { weight = 1, flow = [{ call = "server.write" }, { call = "server.read" }] },
]
[service.server]
workers = "unlimited"
on.read.steps = [{ reply = "ok" }]
on.never.steps = [{ reply = "ok" }]
on.write.steps = [{ reply = "ok" }]
"#;
    let campaign = campaign(&experiment(20, 1), model);
    let run = campaign.run(0);
    let calls = |name: &str| {
        let edges = &campaign.cells[0].program.edges;
        let index = edges.iter().position(|edge| edge.name.ends_with(name)).unwrap();
        run.metrics.edges[index].calls
    };
    let (reads, writes) = (calls("read"), calls("write"));
    assert_eq!(calls("never"), 0);
    assert_binomial(writes, reads, 0.1);
}

/// The keys that users are about, by the second in which a row was written for them.
#[derive(Default)]
struct Keys(BTreeMap<u64, BTreeMap<u64, u64>>);

impl Observer for Keys {
    fn observe(&mut self, now: Time, fact: &Fact) {
        if let Fact::Committed { row, .. } = *fact {
            let second = now.0 / 1_000_000_000;
            *self.0.entry(second).or_default().entry(row).or_default() += 1;
        }
    }
}

impl Keys {
    /// The most frequent key from one second to another, how often it was and how often any was.
    fn hottest(&self, seconds: std::ops::Range<u64>) -> (u64, u64, u64) {
        let mut sums = BTreeMap::new();
        for (&key, &count) in self.0.range(seconds).flat_map(|(_, counts)| counts) {
            *sums.entry(key).or_insert(0) += count;
        }
        let (&key, &most) = sums.iter().max_by_key(|(_, count)| **count).unwrap();
        (key, most, sums.values().sum())
    }
}

fn keys(experiment: &str, clients: &str) -> (Keys, RunResult) {
    let model = format!(
        "[clients.users]\narrivals = {{ poisson = \"500/s\" }}\n{clients}\n\
         flow = [{{ call = \"server.write\" }}]\n[service.server]\nworkers = \"unlimited\"\n\
         on.write.steps = [{{ transaction = \"store\", write = [\"item = written\"] }}, \
         {{ reply = \"ok\" }}]\n\
         [database.store]\ncommit = \"0s\"\nread = \"0s\"\ntables = {{ item = {{ rows = \"key\" }} }}\n"
    );
    let campaign = campaign(experiment, &model);
    let cell = &campaign.cells[0];
    let (controls, end) = (&cell.plan.controls, cell.measure.arrivals_end);
    let mut keys = Keys::default();
    World::new(&cell.program, controls, 1, end, cell.limits, &mut keys).run();
    (keys, campaign.run(0))
}

#[test]
fn a_hot_key_has_its_share_and_moves() {
    let clients = "keys = { uniform = 1000 }\nhot = { share = \"20%\", every = \"10s\" }";
    let (keys, _) = keys(&experiment(30, 1), clients);
    let mut hot = Vec::new();
    for from in [0, 10, 20] {
        let (key, count, all) = keys.hottest(from..from + 10);
        // Beside its share, the key has its part of the other users.
        assert_binomial(count, all, 0.2 + 0.8 / 1000.0);
        hot.push(key);
    }
    hot.dedup();
    assert_eq!(hot.len(), 3, "{hot:?}");
}

#[test]
fn a_hot_key_fault_takes_its_share_to_the_last_key_and_ends() {
    let fault = "[[faults]]\nkind = \"hot_key\"\ntarget = \"users\"\nshare = \"60%\"\n\
                 at = \"10s\"\nfor = \"10s\"\n";
    let clients = "keys = { zipf = { exponent = 1.0, of = 1000 } }";
    let plain = keys(&experiment(30, 1), clients).0;
    let (struck, run) = keys(&(experiment(30, 1) + fault), clients);
    for calm in [0..10, 20..30] {
        assert_eq!(plain.hottest(calm.clone()), struck.hottest(calm));
    }
    let (key, count, all) = struck.hottest(10..20);
    assert_eq!((key, all), (999, plain.hottest(10..20).2));
    assert_binomial(count, all, 0.6);
    assert!(run.metrics.diverted <= count && run.metrics.diverted + 10 > count);
}

/// The largest distance between the distribution of samples and the one that they should have.
/// By the inequality of Dvoretzky, Kiefer, Wolfowitz and Massart it is beyond `2.7 / sqrt(n)` once
/// in a million times.
fn assert_distribution(text: &str, tail: impl Fn(f64) -> f64) {
    const SAMPLES: u64 = 20_000;
    let distribution: Distribution = serde_json::from_value(text.into()).unwrap();
    let mut draws = Draws::new(5);
    let mut sample = |work| distribution.sample(draws.draw(Purpose::Service, 0, work, 0)).millis();
    let mut samples: Vec<f64> = (0..SAMPLES).map(&mut sample).collect();
    samples.sort_by(f64::total_cmp);
    let mean = samples.iter().sum::<f64>() / SAMPLES as f64;
    let expected = distribution.mean().unwrap().millis();
    assert!((mean / expected - 1.0).abs() < 0.1, "{text}: mean {mean}, not {expected}");
    let distance = samples.iter().enumerate().map(|(index, &sample)| {
        ((index as f64 + 0.5) / SAMPLES as f64 - (1.0 - tail(sample))).abs()
    });
    let distance = distance.fold(0.0, f64::max);
    assert!(distance < 2.7 / (SAMPLES as f64).sqrt(), "{text}: {distance}");
}

#[test]
fn samples_have_the_distribution_that_is_written() {
    let exponential = |mean: f64| move |x: f64| libm::exp(-x / mean);
    let (fast, slow) = (exponential(2.0), exponential(50.0));
    assert_distribution("mix 90% exp 2ms, 10% exp 50ms", |x| 0.9 * fast(x) + 0.1 * slow(x));
    assert_distribution("mix 25% uniform 3ms..4ms, 75% exp 2ms", |x| {
        0.25 * (4.0 - x).clamp(0.0, 1.0) + 0.75 * fast(x)
    });
    assert_distribution("weibull 10ms shape 0.7", |x| libm::exp(-libm::pow(x / 10.0, 0.7)));
    assert_distribution("erlang 3 9ms", |x| {
        let stage = x / 3.0;
        libm::exp(-stage) * (1.0 + stage + stage * stage / 2.0)
    });
}

/// Runs a model with one file beside it.
fn runs_with(experiment: &str, model: &str, text: &str) -> Result<Vec<RunResult>, Vec<Problem>> {
    let campaign: Campaign = campaign_reading(experiment, model, &|name| match name {
        "recorded.csv" => Ok(text.to_owned()),
        _ => Err(Problem::new("another file")),
    });
    Ok(run_all(&campaign))
}

#[test]
fn recorded_lengths_are_drawn_as_often_as_they_were_recorded() {
    let clients = "arrivals = { constant = \"500/s\" }";
    let steps = "{ work = { empirical = { path = \"recorded.csv\", column = \"took\", \
                 unit = \"ms\" } } }, ";
    let file = "id,took\n1,10\n2,20.5\n3,10\n4,1000\n";
    let runs = runs_with(&experiment(20, 1), &server(clients, steps), file).unwrap();
    let metrics = &runs[0].metrics;
    let total = metrics.latency_total as f64 / 1e9;
    let mean = (10.0 + 20.5 + 10.0 + 1000.0) / 4e3;
    let squares = (2.0 * 0.01 * 0.01 + 0.0205 * 0.0205 + 1.0) / 4.0;
    let deviation = ((squares - mean * mean) * metrics.ok as f64).sqrt();
    assert!((total - mean * metrics.ok as f64).abs() < 5.0 * deviation, "{total}");
    assert_eq!(metrics.latency_total % 500_000, 0);
}

const TRACE: &str = "when,tokens\n0,1000\n1,500\n2,4000\n3,0\n";

#[test]
fn the_size_of_a_request_scales_its_work() {
    let clients = "arrivals = { trace = { path = \"recorded.csv\", column = \"when\", \
                   size = { column = \"tokens\", unit = 1000 }, copies = 2 } }";
    let steps = "{ work = \"100ms\", per_size = true }, { work = \"1ms\" }, ";
    let run = &runs_with(&experiment(10, 1), &server(clients, steps), TRACE).unwrap()[0];
    assert_eq!(run.metrics.ok, 8);
    assert_eq!(run.metrics.latency_total, 2 * (550_000_000 + 4 * 1_000_000));
    // Without sizes, every request is of size 1.
    let clients = "arrivals = { constant = \"1/s\" }";
    let run = &runs(&experiment(10, 1), &server(clients, steps))[0];
    assert_eq!(run.metrics.latency_total, u128::from(run.metrics.ok) * 101_000_000);
}

#[test]
fn a_trace_is_thinned_and_multiplied_at_random() {
    let lines: String = (0..8_000).map(|line| format!("{}\n", f64::from(line) / 200.0)).collect();
    let file = format!("when\n{lines}");
    let users = |rate: &str| {
        let clients = format!(
            "arrivals = {{ trace = {{ path = \"recorded.csv\", column = \"when\", rate = {rate} }} }}"
        );
        let runs = runs_with(&experiment(60, 2), &server(&clients, ""), &file).unwrap();
        let users: Vec<u64> = runs.iter().map(|run| run.metrics.requests).collect();
        (users, counts(&runs[0], 40))
    };
    assert_eq!(users("1").0, [8_000, 8_000]);
    let (thinned, by_second) = users("0.25");
    assert_binomial(thinned[0], 8_000, 0.25);
    assert_ne!(thinned[0], thinned[1], "other seeds take other lines");
    let squared = |count: &f64| (count - 50.0) * (count - 50.0) / (200.0 * 0.25 * 0.75);
    let sum: f64 = by_second.iter().map(squared).sum();
    assert!((sum - 40.0).abs() < 5.0 * 80_f64.sqrt(), "{sum}: {by_second:?}");
    for users in users("2.5").0 {
        assert_binomial(users - 16_000, 8_000, 0.5);
    }
}

/// A store with a late copy; users are about one key, and somebody else writes it.
fn monotonic(arrivals: &str, flows: &str, rows: &str) -> RunResult {
    let model = format!(
        r#"
[clients.users]
arrivals = {arrivals}
{flows}
[clients.writers]
arrivals = {{ constant = "20/s" }}
flow = [{{ call = "api.write" }}]
[service.api]
workers = "unlimited"
on.write.steps = [{{ transaction = "store", write = ["item = written"] }}, {{ reply = "ok" }}]
on.fresh.steps = [{{ read = "store.item" }}, {{ reply = "ok" }}]
on.late.steps = [{{ read = "copy.item" }}, {{ reply = "ok" }}]
[database.store]
commit = "1ms"
read = "1ms"
tables = {{ item = {{ rows = "{rows}" }} }}
[replica.copy]
of = "store"
lag = "1s"
read = "1ms"
"#
    );
    runs(&experiment(20, 1), &model).remove(0)
}

#[test]
fn a_user_who_is_shown_something_older_is_counted() {
    let arrivals = "{ constant = \"50/s\" }";
    let flow = |first: &str, second: &str| {
        format!(
            "flow = [{{ call = \"api.{first}\" }}, {{ call = \"api.{second}\", expect = \"not older\" }}]"
        )
    };
    let both = |first, second, rows| {
        let metrics = monotonic(arrivals, &flow(first, second), rows).metrics;
        (metrics.reads_again, metrics.older_reads)
    };
    let (compared, older) = both("fresh", "late", "key");
    assert!(compared > 900 && older == compared, "{older} of {compared}");
    let (compared, older) = both("late", "fresh", "key");
    assert!(compared > 900 && older == 0, "{older} of {compared}");
    assert_eq!(both("late", "late", "key").1, 0);
    // Each order has a row of its own: the copy has nothing yet of what the user wrote just now.
    let (compared, older) = both("write", "late", "order");
    assert!(compared > 900 && older == compared, "{older} of {compared}");
    // Without a step that asks, nobody remembers.
    assert_eq!(
        monotonic(arrivals, "flow = [{ call = \"api.late\" }]", "key").metrics.reads_again,
        0
    );
}

#[test]
fn users_who_come_back_remember_what_they_were_shown() {
    let mix = "mix = [{ weight = 1, flow = [{ call = \"api.fresh\", expect = \"not older\" }] }, \
               { weight = 1, flow = [{ call = \"api.late\" , expect = \"not older\" }] }]";
    let closed = monotonic("{ closed = { users = 10, think = \"100ms\" } }", mix, "key").metrics;
    // Every round but the first of each user is compared; a late one is older than the fresh one
    // before it. A late one after late ones alone is not, if the last fresh one is a second ago.
    assert!(closed.reads_again > 1_500, "{}", closed.reads_again);
    let share = closed.older_reads as f64 / closed.reads_again as f64;
    assert!((0.4..0.55).contains(&share), "{share}");
    let open = monotonic("{ constant = \"50/s\" }", mix, "key").metrics;
    assert_eq!(open.reads_again, 0, "in an open loop everybody is new");
}

#[test]
fn a_spike_strikes_every_kind_of_poisson_arrivals() {
    let fault = "[[faults]]\nkind = \"traffic_spike\"\ntarget = \"users\"\nrate = \"400/s\"\n\
                 at = \"10s\"\nfor = \"40s\"\n";
    let arrivals = [
        r#"{ profile = [{ at = "0s", rate = "10/s", until = "60s", to = "100/s" }] }"#,
        r#"{ daily = { mean = "50/s", amplitude = "50%", period = "20s", peak = "2s" } }"#,
        r#"{ bursts = { calm = "20/s", burst = "200/s", calm_for = "1s", burst_for = "250ms" } }"#,
    ];
    for arrivals in arrivals {
        let model = server(&format!("arrivals = {arrivals}"), "");
        let struck = &runs(&(experiment(60, 1) + fault), &model)[0];
        assert_poisson(&counts(struck, 60)[10..50], &[400.0; 40]);
        let calm = &runs(&experiment(60, 1), &model)[0];
        assert_eq!(counts(struck, 60)[..9], counts(calm, 60)[..9]);
        assert!(counts(struck, 60)[50..].iter().sum::<f64>() < 10.0 * 150.0);
    }
}

#[test]
fn a_span_of_zero_is_no_thinking_time_that_hangs() {
    let clients = "arrivals = { closed = { users = 2, think = \"0s\" } }";
    let run = &runs(&experiment(5, 1), &server(clients, ""))[0];
    assert_eq!(run.ending.name(), "livelock");
}
