//! From the language to flat tables: names become ids, handlers become steps.

mod cache;
mod clients;
mod database;
mod handler;
mod links;
mod outbox;
mod places;
mod provider;
mod queue;
mod replica;
mod service;
mod sizes;
mod station;

use handler::Handlers;
use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::Serialize;
use station::station_with;

use crate::kernel::draw::name_id;
use crate::model::check;
use crate::model::deserialize::{read, read_each, read_each_by};
use crate::model::document::{Data, Location, Value};
use crate::model::language::{
    Cache, Clients, Database, Line, Link, Outbox, Provider, Queue, Replica, Service,
};
use crate::model::policy;
use crate::model::problem::Problem;
use crate::model::program::{Kind, Locality, Node, NodeId, Program, Sharing, Station};
use crate::model::quantity::Count;
use crate::model::recording::{ReadFile, with_recordings};
use crate::policy::Policy;
use crate::policy::Scope;

/// Declares the sections of nodes, in the order of a file: what each holds, its name, and the keys
/// of one node. A model has at least the first one.
macro_rules! nodes {
    (
        $(#[$whose:meta])* $first:ident: $First:ty,
        $($(#[$about:meta])* $section:ident: $Keys:ty,)*
    ) => {
        /// The sections of nodes.
        pub const NODES: &[&str] = &[stringify!($first), $(stringify!($section)),*];

        /// The keys at the top of a model.
        pub const TOP: &[&str] = &[
            "description",
            stringify!($first),
            $(stringify!($section),)*
            "link",
            "policy",
        ];

        /// A model as it was written, section by section.
        #[derive(Debug, Serialize)]
        #[cfg_attr(feature = "schema", derive(JsonSchema))]
        #[cfg_attr(feature = "schema", schemars(title = "Stormglass model", deny_unknown_fields))]
        pub(super) struct Sections {
            /// What the model is of.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub(super) description: Option<String>,
            $(#[$whose])*
            pub(super) $first: IndexMap<String, $First>,
            $(
                $(#[$about])*
                #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
                pub(super) $section: IndexMap<String, $Keys>,
            )*
            /// What happens to messages on their way: `default`, or `"caller -> callee"`.
            #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
            pub(super) link: IndexMap<String, Link>,
            /// What callers do around a call.
            #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
            #[cfg_attr(feature = "schema", schemars(with = "IndexMap<String, policy::PolicyText>"))]
            pub(super) policy: IndexMap<String, policy::Named>,
        }

        impl Sections {
            /// Reads every section; what cannot be read is a problem.
            pub(super) fn read(document: &Value, problems: &mut Vec<Problem>) -> Sections {
                problems.extend(check_top(document));
                let section = |name: &str| document.find(&[name.to_owned()]);
                let description = section("description").map(read::<String>);
                Sections {
                    description: description
                        .and_then(|text| text.map_err(|problem| problems.push(problem)).ok()),
                    $first: read_each(section(stringify!($first)), problems),
                    $($section: read_each(section(stringify!($section)), problems),)*
                    link: read_each(section("link"), problems),
                    policy: read_each_by(section("policy"), problems, policy::read),
                }
            }

            /// Every node: its section, its name, and where it is.
            pub(super) fn placed(&self) -> Vec<(&'static str, &str, Locality)> {
                let mut placed = Vec::new();
                each_placed!(self, placed, $first $($section)*);
                placed
            }
        }
    };
}

/// Adds the nodes of each section to those that have a place.
macro_rules! each_placed {
    ($sections:ident, $placed:ident, $($section:ident)*) => {$(
        $placed.extend($sections.$section.iter().map(|(name, keys)| {
            let place = Locality { zone: keys.zone.clone(), region: keys.region.clone() };
            (stringify!($section), name.as_str(), place)
        }));
    )*};
}

nodes! {
    /// Who asks.
    clients: Clients,
    /// Workers that run handlers.
    service: Service,
    /// Transactions over versioned rows.
    database: Database,
    /// Late copies of databases.
    replica: Replica,
    /// Rows kept for a while.
    cache: Cache,
    /// Messages delivered at least once.
    queue: Queue,
    /// Relays from outbox tables to queues.
    outbox: Outbox,
    /// Effects that cannot be undone.
    provider: Provider,
}

/// Compiles a model.
///
/// # Errors
/// Everything that is wrong with it, as far as it could be read.
pub fn compile(document: &Value, read_file: ReadFile<'_>) -> Result<Program, Vec<Problem>> {
    let mut problems = Vec::new();
    let filled = with_recordings(document, read_file).map_err(|problem| vec![problem])?;
    let sections = Sections::read(&filled, &mut problems);
    if problems.is_empty() {
        problems.extend(sizes::sizes(document, &sections));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut compiler = Compiler { document, program: Program::default(), problems };
    compiler.policies(&sections);
    compiler.nodes(&sections, read_file);
    compiler.places(&sections);
    compiler.lines(&sections);
    compiler.bulkheads(&sections);
    compiler.links(&sections);
    if compiler.problems.is_empty() {
        Handlers::new(&mut compiler, &sections).compile();
        compiler.priorities(&sections);
    }
    compiler.distinct_ids();
    compiler.problems.extend(check::ejection(document, &compiler.program));
    if compiler.problems.is_empty() {
        compiler.problems.extend(check::cycle(document, &compiler.program));
    }
    if compiler.problems.is_empty() { Ok(compiler.program) } else { Err(compiler.problems) }
}

/// What shows that a document is no model, before anything is set in it.
pub fn check_top(document: &Value) -> Vec<Problem> {
    let first = Location { end: document.at.start, ..document.at };
    let Data::Table(fields) = &document.data else {
        return vec![Problem::new("expected a table of sections").at(document.at)];
    };
    if let Some(field) = fields.get("model") {
        let problem = Problem::new("this file is an experiment, not a model");
        return vec![problem.at(field.key_at).expected("a file with [clients.NAME]")];
    }
    let unknown = fields.iter().filter(|(name, _)| !TOP.contains(&name.as_str()));
    let mut problems: Vec<Problem> =
        unknown.map(|(name, field)| Problem::unknown("key", name, TOP).at(field.key_at)).collect();
    if problems.is_empty() && !fields.contains_key("clients") {
        let problem = Problem::new("nobody asks anything: this model has no clients");
        problems.push(problem.at(first).expected("at least one [clients.NAME]"));
    }
    problems
}

/// Builds a [`Program`] and collects what is wrong on the way.
pub(super) struct Compiler<'a> {
    pub(super) document: &'a Value,
    pub(super) program: Program,
    pub(super) problems: Vec<Problem>,
}

impl Compiler<'_> {
    /// Notes a problem at the value that a path leads to, or further inside.
    pub(super) fn problem(&mut self, path: &[&str], problem: Problem) {
        self.problems.push(problem.located(self.document, path));
    }

    /// The node of this name if it is of the right kind; else a problem at the path.
    pub(super) fn node_of(
        &mut self,
        path: &[&str],
        name: &str,
        what: &str,
        is_right: fn(&Kind) -> bool,
    ) -> Option<NodeId> {
        match self.program.find_node_of(name, what, is_right) {
            Ok(id) => Some(id),
            Err(problem) => {
                self.problem(path, problem);
                None
            }
        }
    }

    /// Draws are named by 32-bit ids of names: two nodes with one id would share their luck.
    fn distinct_ids(&mut self) {
        let mut ids: Vec<(u32, &str)> =
            self.program.nodes.iter().map(|node| (node.id, node.name.as_str())).collect();
        ids.sort_unstable();
        let twins = ids.windows(2).find(|pair| pair[0].0 == pair[1].0);
        if let Some([(_, one), (_, other)]) = twins {
            let problem = Problem::new(format!("`{one}` and `{other}` have the same stable id"))
                .expected("another name for one of them");
            self.problems.push(problem.at(self.document.at));
        }
    }

    fn policies(&mut self, sections: &Sections) {
        let target = Sharing { scope: Scope::ProcessAndTarget, origin: 0 };
        self.program.policies.push(("none".to_owned(), Policy::default()));
        self.program.sharing.push(target);
        for (name, text) in &sections.policy {
            let origin = self.program.policies.len() as u16;
            self.program.policies.push((name.clone(), text.policy));
            self.program.sharing.push(Sharing { scope: text.scope, origin });
        }
    }

    /// Gives the numbers of stocks the first labels.
    fn numbers(&mut self, sections: &Sections) {
        let tables = sections.database.values().flat_map(|database| database.tables.values());
        let most = tables.filter_map(|table| table.stock).max();
        // What is given back twice is more than there was.
        let count = most.map_or(0, |most| 2 * most.min(database::STOCK_MAX) + 1);
        self.program.labels = (0..count).map(|number| number.to_string()).collect();
        self.program.numbers = count as u16;
    }

    /// Every node, in the order of the kinds: its id is its place.
    fn nodes(&mut self, sections: &Sections, read_file: ReadFile<'_>) {
        self.numbers(sections);
        // All sections by name, so that one that becomes no nodes does not compile.
        let Sections {
            clients,
            service,
            database,
            replica,
            cache,
            queue,
            outbox,
            provider,
            description: _,
            link: _,
            policy: _,
        } = sections;
        for (name, clients) in clients {
            self.clients(name, clients, read_file);
        }
        for (name, service) in service {
            self.service(name, service);
        }
        for (name, database) in database {
            self.database(name, database);
        }
        for (name, replica) in replica {
            self.replica(name, replica);
        }
        for (name, cache) in cache {
            self.cache(name, cache);
        }
        for (name, queue) in queue {
            self.queue(name, queue);
        }
        self.dead_letters(sections);
        for (name, provider) in provider {
            self.provider(name, provider);
        }
        for (name, outbox) in outbox {
            self.outbox(name, outbox);
        }
    }

    fn node(&mut self, section: &str, name: &str, kind: Kind, station: Station) -> Option<NodeId> {
        if self.program.find_node(name).is_some() {
            let problem = Problem::new(format!("there are two nodes named `{name}`"))
                .expected("a name of its own for each node, whatever its kind");
            self.problem(&[section, name], problem);
            return None;
        }
        if let Err(problem) = check::name("a node", name) {
            self.problem(&[section, name], problem);
        }
        if station.workers == 0 {
            let key = match kind {
                Kind::Service(_) => "workers",
                Kind::Provider(_) => "concurrency",
                _ => "connections",
            };
            let problem = Problem::new(format!("`{name}` has nobody to do its work"))
                .expected("at least 1, or \"unlimited\"");
            self.problem(&[section, name, key], problem);
        }
        let id = NodeId(self.program.nodes.len() as u16);
        let (name, place) = (name.to_owned(), Locality::default());
        self.program.nodes.push(Node { id: name_id(&name), name, kind, station, place });
        Some(id)
    }
}

fn station(instances: u32, workers: Count) -> Station {
    station_with(instances, workers, &Line::default())
}
