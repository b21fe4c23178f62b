//! From the language to flat tables: names become ids, handlers become steps.

use indexmap::IndexMap;

use super::deserialize::{read, read_each};
use super::document::{Data, Location, Value};
use super::handler::Handlers;
use super::language::{
    Balance, Cache, Clients, Database, Flush, Line, Link, Outbox, Provider, Queue, Replica, Service,
};
use super::policy::{self, PolicyText};
use super::problem::Problem;
use super::program::{self, Kind, Node, NodeId, OperationId, Program, Station};
use super::quantity::Count;
use super::{arrivals, check};
use crate::kernel::draw::{Probability, name_id};
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;
use crate::policy::Policy;

/// Reads a file that a model names, by its path as written.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<String, Problem>;

/// The keys at the top of a model.
pub const TOP: [&str; 11] = [
    "description",
    "clients",
    "service",
    "database",
    "replica",
    "cache",
    "queue",
    "outbox",
    "provider",
    "link",
    "policy",
];

/// A model as it was written, section by section.
pub(super) struct Sections {
    pub(super) clients: IndexMap<String, Clients>,
    pub(super) service: IndexMap<String, Service>,
    pub(super) database: IndexMap<String, Database>,
    pub(super) replica: IndexMap<String, Replica>,
    pub(super) cache: IndexMap<String, Cache>,
    pub(super) queue: IndexMap<String, Queue>,
    pub(super) outbox: IndexMap<String, Outbox>,
    pub(super) provider: IndexMap<String, Provider>,
    pub(super) link: IndexMap<String, Link>,
    pub(super) policy: IndexMap<String, PolicyText>,
}

/// Compiles a model.
///
/// # Errors
/// Everything that is wrong with it, as far as it could be read.
pub fn compile(document: &Value, read_file: ReadFile<'_>) -> Result<Program, Vec<Problem>> {
    let mut problems = Vec::new();
    let sections = read_sections(document, &mut problems);
    if problems.is_empty() {
        problems.extend(check::sizes(document, &sections));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut compiler = Compiler { document, program: Program::default(), problems };
    compiler.policies(&sections);
    compiler.nodes(&sections, read_file);
    compiler.links(&sections);
    if compiler.problems.is_empty() {
        Handlers::new(&mut compiler, &sections).compile();
    }
    compiler.distinct_ids();
    if compiler.problems.is_empty() {
        compiler.problems.extend(check::cycle(document, &compiler.program));
    }
    if compiler.problems.is_empty() { Ok(compiler.program) } else { Err(compiler.problems) }
}

/// What shows that a document is no model, before anything is set in it.
#[must_use]
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
        unknown.map(|(name, field)| Problem::unknown("key", name, &TOP).at(field.key_at)).collect();
    if problems.is_empty() && !fields.contains_key("clients") {
        let problem = Problem::new("nobody asks anything: this model has no clients");
        problems.push(problem.at(first).expected("at least one [clients.NAME]"));
    }
    problems
}

fn read_sections(document: &Value, problems: &mut Vec<Problem>) -> Sections {
    problems.extend(check_top(document));
    let section = |name: &str| document.find(&[name.to_owned()]);
    if let Some(value) = section("description")
        && let Err(problem) = read::<String>(value)
    {
        problems.push(problem);
    }
    Sections {
        clients: read_each(section("clients"), problems),
        service: read_each(section("service"), problems),
        database: read_each(section("database"), problems),
        replica: read_each(section("replica"), problems),
        cache: read_each(section("cache"), problems),
        queue: read_each(section("queue"), problems),
        outbox: read_each(section("outbox"), problems),
        provider: read_each(section("provider"), problems),
        link: read_each(section("link"), problems),
        policy: read_each(section("policy"), problems),
    }
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
        self.program.policies.push(("none".to_owned(), Policy::default()));
        for (name, text) in &sections.policy {
            match policy::compile(text) {
                Ok(policy) => self.program.policies.push((name.clone(), policy)),
                Err(problem) => self.problem(&["policy", name], problem),
            }
        }
    }

    fn nodes(&mut self, sections: &Sections, read_file: ReadFile<'_>) {
        for (name, clients) in &sections.clients {
            if let Some(kind) = self.clients(name, clients, read_file) {
                self.node("clients", name, Kind::Clients(kind), station(1, Count::Unlimited));
            }
        }
        for (name, service) in &sections.service {
            let mut station = station_with(service.instances, service.workers, service.queue);
            station.balance = service.balance;
            if let Err(problem) =
                check::count("instances", service.instances, 1, check::INSTANCES_MAX)
            {
                self.problem(&["service", name, "instances"], problem);
            }
            self.node("service", name, Kind::Service { takes: None }, station);
        }
        for (name, database) in &sections.database {
            let flush_every = match database.flush {
                Flush::EachCommit => None,
                Flush::Every(span) => Some(span),
            };
            if flush_every == Some(Span::ZERO) {
                let problem = Problem::new("a log that is always flushed would let no time pass")
                    .expected("more than 0s, or \"each_commit\"");
                self.problem(&["database", name, "flush", "every"], problem);
            }
            let kind = Kind::Database { flush_every, replicas: Vec::new() };
            self.node(
                "database",
                name,
                kind,
                station_with(1, database.connections, database.queue),
            );
            self.tables(name, database);
        }
        for (name, replica) in &sections.replica {
            self.replica(name, replica);
        }
        for (name, cache) in &sections.cache {
            let kind = Kind::Cache { capacity: cache.capacity, ttl: cache.ttl };
            self.node("cache", name, kind, station(1, Count::Unlimited));
            if let Err(problem) = check::count("rows", cache.capacity, 1, u32::MAX) {
                self.problem(&["cache", name, "capacity"], problem);
            }
        }
        for (name, queue) in &sections.queue {
            let kind = Kind::Queue(program::Queue {
                visibility: queue.visibility,
                max_receives: queue.max_receives,
                redelivery: queue.redelivery,
                consumers: Vec::new(),
            });
            self.node("queue", name, kind, station(1, Count::Unlimited));
            if queue.visibility == Span::ZERO {
                let problem = Problem::new("a delivered message would be delivered again at once")
                    .expected("more than 0s: longer than its handler takes");
                self.problem(&["queue", name, "visibility"], problem);
            }
            if let Err(problem) = check::count("receives", queue.max_receives, 1, u32::MAX) {
                self.problem(&["queue", name, "max_receives"], problem);
            }
        }
        for (name, provider) in &sections.provider {
            let kind = Kind::Provider {
                errors_before: Probability::new(provider.errors_before.0),
                errors_after: Probability::new(provider.errors_after.0),
                keys_expire: provider.keys_expire,
            };
            if provider.errors_before.0 + provider.errors_after.0 > 1.0 {
                let problem = Problem::new("more calls would fail than there are")
                    .expected("`errors_before` and `errors_after` together at most 1");
                self.problem(&["provider", name, "errors_after"], problem);
            }
            self.node(
                "provider",
                name,
                kind,
                station_with(1, provider.concurrency, provider.queue),
            );
        }
        for (name, outbox) in &sections.outbox {
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
                Kind::Service { .. } => "workers",
                Kind::Provider { .. } => "concurrency",
                _ => "connections",
            };
            let problem = Problem::new(format!("`{name}` has nobody to do its work"))
                .expected("at least 1, or \"unlimited\"");
            self.problem(&[section, name, key], problem);
        }
        let id = NodeId(self.program.nodes.len() as u16);
        self.program.nodes.push(Node { name: name.to_owned(), id: name_id(name), kind, station });
        Some(id)
    }

    fn clients(
        &mut self,
        name: &str,
        clients: &Clients,
        read_file: ReadFile<'_>,
    ) -> Option<program::Clients> {
        if let Err(problem) = check::count("processes", clients.processes, 1, check::PROCESSES_MAX)
        {
            self.problem(&["clients", name, "processes"], problem);
        }
        if clients.patience == Some(Span::ZERO) {
            let problem = Problem::new("users without patience never hear an answer")
                .expected("more than 0s; without this key they wait for ever");
            self.problem(&["clients", name, "patience"], problem);
        }
        let keys = match arrivals::key_table(clients.keys) {
            Ok(keys) => keys,
            Err(problem) => {
                self.problem(&["clients", name, "keys"], problem);
                return None;
            }
        };
        match arrivals::arrivals(&clients.arrivals, read_file) {
            Ok(arrivals) => Some(program::Clients {
                processes: clients.processes,
                arrivals,
                keys,
                flow: OperationId(0),
            }),
            Err(problem) => {
                self.problem(&["clients", name, "arrivals"], problem);
                None
            }
        }
    }

    fn tables(&mut self, name: &str, database: &Database) {
        let Some(id) = self.program.find_node(name) else { return };
        for (table, text) in &database.tables {
            if table == "outbox" || table == "audit" {
                let problem = Problem::new(format!("every database has its own `{table}`"))
                    .expected("another name");
                self.problem(&["database", name, "tables", table], problem);
            }
            if let Err(problem) = check::name("a table", table) {
                self.problem(&["database", name, "tables", table], problem);
            }
            self.program.tables.push(program::Table {
                database: id,
                name: format!("{name}.{table}"),
                rows: text.rows,
            });
        }
    }

    fn replica(&mut self, name: &str, replica: &Replica) {
        let is_database = |kind: &Kind| matches!(kind, Kind::Database { .. });
        let path = ["replica", name, "of"];
        let Some(of) = self.node_of(&path, &replica.of, "database", is_database) else { return };
        let kind = Kind::Replica { of, lag: replica.lag };
        let station = station_with(1, replica.connections, replica.queue);
        if let Some(id) = self.node("replica", name, kind, station)
            && let Kind::Database { replicas, .. } = &mut self.program.nodes[of.0 as usize].kind
        {
            replicas.push(id);
        }
    }

    fn outbox(&mut self, name: &str, outbox: &Outbox) {
        let is_database = |kind: &Kind| matches!(kind, Kind::Database { .. });
        let path = ["outbox", name, "database"];
        let Some(database) = self.node_of(&path, &outbox.database, "database", is_database) else {
            return;
        };
        let kind = Kind::Outbox { database, batch: outbox.batch, operation: OperationId(0) };
        self.node("outbox", name, kind, station(1, Count::Unlimited));
        if let Err(problem) = check::count("rows", outbox.batch, 1, u32::from(u16::MAX)) {
            self.problem(&["outbox", name, "batch"], problem);
        }
        if outbox.poll == Span::ZERO {
            let problem = Problem::new("a relay that never waits would let no time pass")
                .expected("more than 0s");
            self.problem(&["outbox", name, "poll"], problem);
        }
    }

    /// Fills the matrix of links: the default, then each pair that the file names.
    fn links(&mut self, sections: &Sections) {
        let default = sections.link.get("default").copied().unwrap_or_default();
        let count = self.program.nodes.len();
        self.program.links = vec![compile_link(default, Link::default()); count * count];
        let mut seen = Vec::new();
        for (pair, link) in &sections.link {
            if pair == "default" {
                continue;
            }
            let Some((from, to)) = pair.split_once("->") else {
                let problem = Problem::new(format!("`{pair}` is not a link"))
                    .expected("`default`, or two nodes such as \"api -> payment\"");
                self.problem(&["link", pair], problem);
                continue;
            };
            let path = ["link", pair.as_str()];
            let from = self.node_of(&path, from.trim(), "node", |_| true);
            let to = self.node_of(&path, to.trim(), "node", |_| true);
            if let (Some(from), Some(to)) = (from, to) {
                let index = self.program.link_index(from, to);
                if seen.contains(&index) {
                    let problem = Problem::new(format!("the link `{pair}` is written twice"))
                        .expected("one table for each link, whatever its spaces");
                    self.problem(&path, problem);
                }
                seen.push(index);
                self.program.links[index] = compile_link(*link, default);
            }
        }
    }
}

fn station(instances: u32, workers: Count) -> Station {
    station_with(instances, workers, Line::default())
}

fn station_with(instances: u32, workers: Count, line: Line) -> Station {
    Station {
        instances,
        workers: workers.limit(),
        queue_limit: line.limit.limit(),
        order: line.order,
        balance: Balance::default(),
    }
}

fn compile_link(link: Link, default: Link) -> program::Link {
    let share = |own: Option<super::quantity::Share>, other: Option<super::quantity::Share>| {
        Probability::new(own.or(other).unwrap_or_default().0)
    };
    program::Link {
        latency: link.latency.or(default.latency).unwrap_or(Distribution::Constant(Span::ZERO)),
        request_loss: share(link.request_loss, default.request_loss),
        reply_loss: share(link.reply_loss, default.reply_loss),
    }
}
