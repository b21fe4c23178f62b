//! A run costs what is counted in it, at the prices of the experiment, and to the millionth.

use stormglass::experiment::compare::compare;
use stormglass::experiment::measure::summary::summarise;
use stormglass::experiment::plan::campaign::Campaign;
use stormglass::experiment::plan::documents::Documents;
use stormglass::experiment::run::result::RunResult;
use stormglass::model::document::{Sources, Value};
use stormglass::model::problem::Problem;
use stormglass::report::files;
use stormglass::report::findings::Findings;

use crate::common::{campaign, run_all};

/// Ten orders a second for 100 s at a shop of four hosts, each of which asks a provider in another
/// zone once; the shop is gone from the 20th second to the 30th, and refuses.
const MODEL: &str = r#"
[clients.shoppers]
arrivals = { constant = "10/s" }
flow = [{ call = "api.order" }]

[service.api]
zone = "a"
instances = 4
workers = "unlimited"
on.order.steps = [{ call = "bank.charge" }, { reply = "ok" }]

[provider.bank]
zone = "b"
concurrency = 100
latency = "1ms"
effects = ["charge"]
"#;

const HEAD: &str = r#"
name = "prices"
model = "m.toml"
seeds = "1..3"
arrivals = "100s"
faults = [{ kind = "crash", target = "api", at = "20s", for = "10s" }]

[measure]
warm_up = "0s"
recovery = { hold = "5s" }

[invariants]
one_charge = { effect = "charge" }

[slo.orders]
of = "api.order"
good = "answer ok"
target = "99%"
window = "10000s"

[price]
currency = "EUR"
assumed = true
"#;

fn priced(prices: &str) -> String {
    format!("{HEAD}\n{prices}")
}

fn refused(prices: &str) -> String {
    let mut sources = Sources::default();
    let source = sources.add("e.toml", &priced(prices));
    let experiment = Value::parse(&sources, source).expect("an experiment");
    let source = sources.add("m.toml", MODEL);
    let model = Value::parse(&sources, source).expect("a model");
    let documents = Documents { experiment, model, overrides: Vec::new() };
    let problems = Campaign::new(&documents, &|_| Err(Problem::new("no file"))).expect_err("wrong");
    let texts: Vec<String> = problems.iter().map(Problem::to_string).collect();
    texts.join("\n")
}

fn value(campaign: &Campaign, run: &RunResult, name: &str) -> f64 {
    let place = campaign.metrics().find(name).unwrap_or_else(|| panic!("there is a {name}"));
    run.values[place].unwrap_or_else(|| panic!("{name} has a value"))
}

#[test]
fn a_run_costs_what_is_counted_in_it() {
    let prices = "[price.for.hosts]\nwhat = \"instances of api\"\namount = \"0.36\"\nper = \"1h\"\n\
                  [price.for.bank]\nwhat = \"attempts at bank.charge\"\namount = 0.05\n\
                  assumed = false\n\
                  [price.for.zones]\nwhat = \"calls between zones\"\namount = 1\nper = 1000\n\
                  [price.for.lost]\nwhat = \"orders.bad\"\namount = 40\n\
                  [price.for.people]\nwhat = \"time until recovered\"\namount = 1\nper = \"1min\"\n\
                  [price.for.nobody]\nwhat = \"violations of one_charge\"\namount = 120\n";
    let campaign = campaign(&priced(prices), MODEL);
    let runs = run_all(&campaign);
    let value = |name: &str| value(&campaign, &runs[0], name);
    // Four hosts for a hundred seconds are 400 s at 0.0001 each.
    assert_eq!(value("cost.hosts"), 0.04);
    // Of 999 or 1,000 orders a tenth finds nobody there, and asks no bank.
    let asked = value("cost.zones") * 1000.0;
    assert!((898.0..=901.0).contains(&asked), "{asked}");
    assert!((value("cost.bank") - asked * 0.05).abs() < 1e-9);
    assert_eq!(value("cost.lost"), 40.0 * value("orders.bad_events"));
    assert!((99.0..=101.0).contains(&value("orders.bad_events")));
    // Gone for ten seconds, and at once as before.
    assert!((value("cost.people") - 10.0 / 60.0).abs() < 2e-6, "{}", value("cost.people"));
    assert_eq!(value("cost.nobody"), 0.0);
    let names = ["hosts", "bank", "zones", "lost", "people", "nobody"];
    let parts: f64 = names.iter().map(|name| value(&format!("cost.{name}"))).sum();
    assert!((value("cost") - parts).abs() < 1e-9);
}

#[test]
fn the_table_and_the_summary_say_which_prices_are_assumptions() {
    let prices = "[price.for.bank]\nwhat = \"attempts at bank\"\namount = 0.05\nassumed = false\n\
                  label = \"the bank\"\n\
                  [price.for.hosts]\nwhat = \"instances of api\"\namount = \"0.36\"\n\
                  per = \"1h\"\n";
    let campaign = campaign(&priced(prices), MODEL);
    let runs = run_all(&campaign);
    let summaries = summarise(&campaign, &runs);
    let compared = compare(&campaign, &runs);
    let findings = Findings::new(&campaign, &runs, &summaries, &compared);
    let tables = findings.markdown();
    assert!(tables.contains("| a run costs, EUR | the bank | hosts (assumed) |"), "{tables}");
    assert!(tables.contains("assumptions, and no better than that: hosts"), "{tables}");
    assert!(tables.contains("nothing that is lost has a price"), "{tables}");
    let summary: serde_json::Value = serde_json::from_str(&findings.summary_json()).expect("JSON");
    let prices = &summary["cells"][0]["prices"];
    assert_eq!(prices["currency"], "EUR");
    assert_eq!(prices["for"][1]["assumed"], true);
    assert!(summary["cells"][0]["metrics"]["cost.hosts"]["mean"] == 0.04, "{summary}");
    assert!(files::runs_csv(&campaign, &runs).lines().next().expect("a header").contains(",cost,"));
}

/// Capacity costs and helps: neither arm beats the other, and one that only costs more is beaten.
#[test]
fn a_front_takes_cost_against_the_budget() {
    let prices = "[price.for.hosts]\nwhat = \"instances of api\"\namount = 1\nper = \"100s\"\n\
                  [compare]\npareto = [\"cost\", \"orders.budget_consumed\"]\n\
                  [arms.as_it_is]\n\
                  [arms.dearer]\nset = { \"price.for.hosts.amount\" = 2 }\n\
                  [arms.better]\nset = { \"service.api.instances\" = 8, \
                  \"faults.0.for\" = \"5s\" }\n";
    let campaign = campaign(&priced(prices), MODEL);
    let runs = run_all(&campaign);
    let compared = compare(&campaign, &runs);
    let beaten: Vec<Option<usize>> = compared.front.iter().map(|it| it.dominated_by).collect();
    assert_eq!(beaten, [None, Some(0), None]);
    assert_eq!(value(&campaign, &runs[0], "cost"), 4.0);
    assert_eq!(value(&campaign, &runs[2], "cost"), 8.0, "the same price in this arm");
}

#[test]
fn a_price_of_what_is_not_counted_is_refused_with_what_is() {
    let of = |what: &str| refused(&format!("[price.for.x]\nwhat = \"{what}\"\namount = 1\n"));
    let unknown = of("happiness");
    assert!(unknown.contains("no run counts `happiness`"), "{unknown}");
    for known in ["instances of NODE", "violations of one_charge", "orders.bad", "unhandled"] {
        assert!(unknown.contains(known), "{known}: {unknown}");
    }
    assert!(of("traffic between zones").contains("counts calls and not bytes"));
    assert!(of("calls between regions").contains("no call of this model leads to another region"));
    assert!(of("attempts at bnak").contains("did you mean `bank`"));
    assert!(of("violations of two_charges").contains("one_charge"));
    assert!(of("instances of shoppers").contains("whom nobody pays for"));
    assert!(of("time").contains("it is not said for how long"));
    let wrong = refused("[price.for.x]\nwhat = \"failed\"\namount = 1\nper = \"1h\"\n");
    assert!(wrong.contains("for a number of things"), "{wrong}");
    let wrong = refused("[price.for.x]\nwhat = \"failed\"\namount = \"0.0000001\"\n");
    assert!(wrong.contains("up to six decimals"), "{wrong}");
    let wrong = refused("[price.for.success_ratio]\nwhat = \"failed\"\namount = 1\n");
    assert!(wrong.contains("cannot name a price"), "{wrong}");
    assert!(refused("").contains("nothing has a price"));
}
