//! Every published number is the one that our formula gives, and is simulated or has a reason.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use stormglass::experiment::plan::campaign::Campaign;
use stormglass::experiment::plan::documents::Documents;
use stormglass::model::document::{Data, Patch, Sources, Value};
use stormglass::model::problem::Problem;
use stormglass::report::validation::NotSimulated;
use stormglass::theory::published::Row;
use stormglass::theory::{Law, Parameters};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/experiments/validation");

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn rows() -> Vec<Row> {
    Row::read_all(&read(&Path::new(FOLDER).join("closed_forms.csv"))).unwrap()
}

/// The experiments of the folder, in the order of their names.
pub(super) fn files() -> Vec<PathBuf> {
    let paths = std::fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    files.sort_unstable();
    files
}

/// The file of an experiment of the folder.
pub(super) fn path(name: &str) -> PathBuf {
    Path::new(FOLDER).join(name).with_extension("toml")
}

/// An experiment of the folder with its model, compiled with these patches.
pub(super) fn campaign(file: &Path, overrides: Vec<Patch>) -> Campaign {
    let mut sources = Sources::default();
    let mut parse = |path: &Path| {
        let source = sources.add(&path.display().to_string(), &read(path));
        Value::parse(&sources, source).unwrap()
    };
    let experiment = parse(file);
    let model = experiment.find(&["model".to_owned()]).unwrap();
    let Data::Text(model) = &model.data else { panic!("no model") };
    let model = parse(&Path::new(FOLDER).join(model));
    let documents = Documents { experiment, model, overrides };
    Campaign::new(&documents, &|name| Err(Problem::new(name.to_owned())))
        .unwrap_or_else(|problems| panic!("{}: {problems:?}", file.display()))
}

/// The numbers were computed with 50 digits, or from a Markov chain, by other code than ours. What
/// our laws do not know is not simulated either.
#[test]
fn our_formulas_give_the_published_numbers() {
    let mut compared = 0;
    for row in rows() {
        let mut parameters = row.parameters.clone();
        let laws = Law::ALL.iter().filter(|law| law.group() == row.group);
        // What the model says in numbers and the published row in words.
        let set = |parameters: &mut Parameters, name: &str, value| parameters.set(name, value);
        match (row.group.as_str(), row.parameters.word("delay")) {
            ("HedgeExp", Some("p95")) => set(&mut parameters, "d", libm::log(20.0)),
            ("HedgeLognormal", Some("p95")) => {
                set(&mut parameters, "mu_log", 0.0);
                set(&mut parameters, "sigma", 1.0);
                set(&mut parameters, "d", libm::exp(1.644_853_626_951_472_7));
            }
            ("HedgeLognormal", _) => {
                set(&mut parameters, "mu_log", 0.0);
                set(&mut parameters, "sigma", 1.0);
            }
            _ => {}
        }
        if let Some("Exp(5)") = row.parameters.word("user_reads_after_own_write") {
            set(&mut parameters, "read_rate", 5.0);
        }
        let says = laws.filter_map(|law| law.says(&parameters).ok()).flatten();
        for quantity in says.filter(|quantity| quantity.name == row.quantity) {
            let error = (quantity.value - row.value).abs();
            let is_near = error <= 1e-9 * row.value.abs().max(1e-12);
            assert!(is_near, "{}: {} is not {}", row.id, quantity.value, row.value);
            compared += 1;
        }
    }
    assert!(compared >= 440, "{compared}");
}

/// Of which cells each published number is, and the reasons of those that are not simulated.
#[test]
fn every_published_number_is_simulated_once_or_has_a_reason() {
    let rows = rows();
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for file in files() {
        for cell in &campaign(&file, Vec::new()).cells {
            let theory = cell.theory.as_ref().expect("every experiment here has a theory");
            for quantity in &theory.quantities {
                for row in rows.iter().filter(|row| row.is_of(theory, quantity)) {
                    let own = (theory.law.group(), quantity.value);
                    let error = (quantity.value - row.value).abs();
                    // The model's lengths of time are whole nanoseconds.
                    assert!(error <= 1e-6 * row.value.abs(), "{}: {own:?} of the model", row.id);
                    let name = format!("{}: {}", file.display(), cell.point);
                    places.entry(&row.id).or_default().push(name);
                }
            }
        }
    }
    let reasons = read(&Path::new(FOLDER).join("not_simulated.csv"));
    let reasons = NotSimulated::read_all(&reasons, &rows).unwrap();
    for reason in &reasons {
        assert!(!reason.reason.is_empty());
        for id in &reason.ids {
            let row = rows.iter().find(|row| row.id == *id).unwrap();
            places.entry(&row.id).or_default().push(reason.reason.clone());
        }
    }
    let missing: Vec<&str> =
        rows.iter().map(|row| row.id.as_str()).filter(|id| !places.contains_key(id)).collect();
    assert!(missing.is_empty(), "not accounted for: {}", missing.join(" "));
    let twice: Vec<_> = places.iter().filter(|(_, places)| places.len() > 1).collect();
    assert!(twice.is_empty(), "accounted for more than once: {twice:#?}");
    assert_eq!(rows.len(), 605);
}
