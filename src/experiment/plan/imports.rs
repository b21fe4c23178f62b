//! `import` of an arm: a configuration of another system, whose policies take the place of those of
//! the model.

use indexmap::IndexMap;

use crate::import::{Format, Import, Imported, text};
use crate::model::document::{Data, Field, Location, Value};
use crate::model::problem::{Problem, shortened};

/// The key of an arm.
const KEY: &str = "import";
/// The keys of its table.
const KEYS: [&str; 3] = ["file", "format", "policies"];

/// What an arm imports.
#[derive(Clone, Debug)]
pub struct Imports {
    /// The arm.
    pub arm: String,
    /// The path of the configuration, as it is written.
    pub file: String,
    /// Where that is written.
    pub at: Location,
    /// Its format, if it is said.
    pub format: Option<Format>,
    /// Names of policies of the model, and of those of the file that take their places.
    pub policies: Vec<(String, String, Location)>,
}

/// The imports of all arms.
///
/// # Errors
/// What is written there and is no import.
pub fn named(experiment: &Value) -> Result<Vec<Imports>, Vec<Problem>> {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    let arms = experiment.find(&["arms".to_owned()]);
    let Some(Value { data: Data::Table(arms), .. }) = arms else { return Ok(found) };
    for (arm, field) in arms {
        if let Some(value) = field.value.find(&[KEY.to_owned()]) {
            match of_arm(arm, value) {
                Ok(imports) => found.push(imports),
                Err(problem) => problems.push(problem.at(value.at)),
            }
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

fn of_arm(arm: &str, value: &Value) -> Result<Imports, Problem> {
    let how =
        "a path such as \"application.yml\", or { file = …, policies = { checkout = \"orders\" } }";
    let mut imports = Imports {
        arm: arm.to_owned(),
        file: String::new(),
        at: value.at,
        format: None,
        policies: Vec::new(),
    };
    let fields = match &value.data {
        Data::Text(file) => {
            imports.file.clone_from(file);
            return Ok(imports);
        }
        Data::Table(fields) => fields,
        other => {
            let found = other.describe();
            return Err(
                Problem::new(format!("expected a configuration, found {found}")).expected(how)
            );
        }
    };
    for (key, Field { key_at, value }) in fields {
        match (key.as_str(), &value.data) {
            ("file", Data::Text(file)) => (imports.file, imports.at) = (file.clone(), value.at),
            ("format", Data::Text(name)) => {
                let known = Format::ALL.map(Format::name);
                let found = Format::find(name);
                let problem = || Problem::unknown("format", name, &known).at(value.at);
                imports.format = Some(found.ok_or_else(problem)?);
            }
            ("policies", Data::Table(names)) => {
                for (own, field) in names {
                    let Data::Text(name) = &field.value.data else {
                        let problem = Problem::new("expected the name of a policy of the file");
                        return Err(problem.at(field.value.at).expected("checkout = \"orders\""));
                    };
                    imports.policies.push((own.clone(), name.clone(), field.value.at));
                }
            }
            (key, _) if KEYS.contains(&key) => {
                let found = value.data.describe();
                let problem = Problem::new(format!("`{key}` cannot be {found}"));
                return Err(problem.at(value.at).expected(how));
            }
            (key, _) => return Err(Problem::unknown("key", key, &KEYS).at(*key_at)),
        }
    }
    if imports.file.is_empty() {
        return Err(Problem::new("`file` is missing").expected(how));
    }
    Ok(imports)
}

/// Puts the policies of a file into what an arm sets, before what it sets itself; says what one
/// must know of them.
///
/// # Errors
/// If it is not clear which of them takes the place of which policy of the model.
pub fn set(
    experiment: &mut Value,
    model: &Value,
    imports: &Imports,
    import: &Import,
) -> Result<Vec<Problem>, Vec<Problem>> {
    let chosen = chosen(model, imports, import)?;
    let warnings = chosen.iter().flat_map(|(_, policy)| warnings(policy, imports)).collect();
    let at = imports.at;
    let mut changes: IndexMap<String, Field> = IndexMap::new();
    for (name, policy) in chosen {
        let json = serde_json::to_value(text(policy));
        let json = json.map_err(|error| vec![Problem::new(error.to_string()).at(at)])?;
        let path = format!("policy.\"{name}\"");
        changes.insert(path, Field { key_at: at, value: value_of(json, at) });
    }
    let arm = match &mut experiment.data {
        Data::Table(fields) => fields.get_mut("arms"),
        _ => None,
    };
    if let Some(Field { value: Value { data: Data::Table(arms), .. }, .. }) = arm
        && let Some(Data::Table(arm)) =
            arms.get_mut(&imports.arm).map(|field| &mut field.value.data)
    {
        arm.shift_remove(KEY);
        let empty = Value { data: Data::Table(IndexMap::new()), at };
        let set = arm.entry("set".to_owned()).or_insert(Field { key_at: at, value: empty });
        if let Data::Table(own) = &mut set.value.data {
            changes.extend(std::mem::take(own));
            *own = changes;
        }
    }
    Ok(warnings)
}

/// Which policy of the file takes the place of which one of the model: as it is said, or by name,
/// or the only one of the only one.
fn chosen<'a>(
    model: &Value,
    imports: &Imports,
    import: &'a Import,
) -> Result<Vec<(String, &'a Imported)>, Vec<Problem>> {
    let table = model.find(&["policy".to_owned()]);
    let own: Vec<&str> = match table.map(|table| &table.data) {
        Some(Data::Table(fields)) => fields.keys().map(String::as_str).collect(),
        _ => Vec::new(),
    };
    let names: Vec<&str> = import.policies.iter().map(|policy| policy.name.as_str()).collect();
    let find = |name: &str| import.policies.iter().find(|policy| policy.name == name);
    if imports.policies.is_empty() {
        let by_name = own.iter().filter_map(|name| Some(((*name).to_owned(), find(name)?)));
        let by_name: Vec<_> = by_name.collect();
        return match (by_name.as_slice(), own.as_slice(), import.policies.as_slice()) {
            ([], [own], [only]) => Ok(vec![((*own).to_owned(), only)]),
            ([], ..) => {
                let file = shortened(&imports.file);
                let problem =
                    Problem::new(format!("no policy of `{file}` has the name of one here"));
                let how = format!(
                    "policies = {{ {} = \"NAME\" }}, where NAME is one of: {}",
                    own.first().unwrap_or(&"POLICY"),
                    names.join(", ")
                );
                Err(vec![problem.at(imports.at).expected(how)])
            }
            _ => Ok(by_name),
        };
    }
    let (mut chosen, mut problems) = (Vec::new(), Vec::new());
    for (name, other, at) in &imports.policies {
        if !own.contains(&name.as_str()) {
            problems.push(Problem::unknown("policy", name, &own).at(*at));
        }
        match find(other) {
            Some(policy) => chosen.push((name.clone(), policy)),
            None => problems.push(Problem::unknown("policy of the file", other, &names).at(*at)),
        }
    }
    if problems.is_empty() { Ok(chosen) } else { Err(problems) }
}

/// What is not as in the file.
fn warnings(policy: &Imported, imports: &Imports) -> Vec<Problem> {
    const LOUD: [&str; 3] = ["NOT AS IN THE FILE", "DOES NOT START", "ASSUMED"];
    let loud = policy.caveats.iter().filter(|said| LOUD.iter().any(|word| said.contains(word)));
    let name = &policy.name;
    loud.map(|said| Problem::new(format!("`{name}`: {said}")).at(imports.at)).collect()
}

/// A value as if it were written at a place.
fn value_of(json: serde_json::Value, at: Location) -> Value {
    use serde_json::Value as Json;
    let data = match json {
        Json::Null => Data::Text(String::new()),
        Json::Bool(flag) => Data::Boolean(flag),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => Data::Integer(integer),
            None => Data::Float(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Data::Text(text),
        Json::Array(values) => {
            Data::List(values.into_iter().map(|value| value_of(value, at)).collect())
        }
        Json::Object(fields) => {
            let there = fields.into_iter().filter(|(_, value)| !value.is_null());
            let field = |(key, value)| (key, Field { key_at: at, value: value_of(value, at) });
            Data::Table(there.map(field).collect())
        }
    };
    Value { data, at }
}
