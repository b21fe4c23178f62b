//! `[compare] label`: what tables and sentences call a metric.

use std::fs;

use super::super::check::{path, stormglass};
use super::write_experiment;
use tempfile::TempDir;

#[test]
fn a_metric_is_called_as_the_experiment_calls_it() {
    let folder = TempDir::new().unwrap();
    let file = write_experiment(folder.path());
    let out = folder.path().join("out");
    let text = fs::read_to_string(&file).unwrap();
    let run = |more: &str| {
        fs::write(&file, format!("{text}{more}")).unwrap();
        let chosen = ["--seeds", "1..4", "--point", "handling=sync", "--full"];
        stormglass(&[&["run", path(&file), "--out", path(&out)], &chosen[..]].concat())
    };
    let ran = run("[compare.label]\namplification = \"charges per order\"\n\
                   success_ratio = \"orders paid in time\"\n\
                   \"reply.success_ratio\" = \"shoppers told so\"\n");
    assert_eq!(ran.code, Some(0), "{}", ran.error);
    let answer = ran.out.lines().find(|line| line.starts_with("orders paid in time"));
    assert!(answer.is_some(), "the table that decides: {}", ran.out);
    let told: String = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains(", orders paid in time ") && told.contains(", charges per order "));
    let tables = fs::read_to_string(out.join("tables.md")).unwrap();
    for header in ["| charges per order | ", "| orders paid in time | ", "| shoppers told so | "] {
        assert!(tables.contains(header), "{header} in {tables}");
    }
    assert!(tables.contains("charges per order, less is better"), "{tables}");
    assert!(!tables.contains("amplification") && !tables.contains("attempts per request |"));
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("charges per order"), "the page says it too");
    // Programs find what they know.
    let runs = fs::read_to_string(out.join("runs.csv")).unwrap();
    let columns: Vec<&str> = runs.lines().next().unwrap().split(',').collect();
    assert!(columns.contains(&"amplification") && columns.contains(&"success_ratio"));
    let wrong = |more: &str| {
        let ran = run(more);
        assert_eq!(ran.code, Some(2), "{more}");
        ran.error
    };
    let error = wrong("[compare.label]\nampification = \"charges\"\n");
    assert!(error.contains("did you mean `amplification`?"), "{error}");
    let error = wrong("[compare.label]\namplification = \"a\"\nsuccess_ratio = \"a\"\n");
    assert!(error.contains("`success_ratio` has the label of `amplification`"), "{error}");
    let error = wrong("[compare.label]\namplification = \" \"\n");
    assert!(error.contains("this label says nothing"), "{error}");
}
