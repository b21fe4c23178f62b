//! Services.

use super::Compiler;
use super::station::{self, station_with};
use crate::kernel::time::Span;
use crate::model::check;
use crate::model::compile::Sections;
use crate::model::language::{self, Pauses, Protocol, Service};
use crate::model::problem::Problem;
use crate::model::program::{self, Kind, Pool};

impl Compiler<'_> {
    pub(super) fn service(&mut self, name: &str, service: &Service) {
        let mut station = station_with(service.instances, service.workers, &service.queue);
        station.balance = service.balance;
        station.speaks_grpc = service.protocol == Protocol::Grpc;
        station.propagation = service.propagate_deadline.map(station::propagation);
        station.cost = self.part(name, "cores", station::cost(service)).flatten();
        station.rate_limit = service
            .rate_limit
            .and_then(|text| self.part(name, "rate_limit", station::rate_limit(&text)));
        station.limit = service
            .concurrency_limit
            .and_then(|text| self.part(name, "concurrency_limit", station::limit(&text)));
        station.pools = self.pools(name, service);
        if let Err(problem) = check::count("instances", service.instances, 1, check::INSTANCES_MAX)
        {
            self.problem(&["service", name, "instances"], problem);
        }
        let pauses = service.pauses.clone();
        let pauses = pauses.map(|Pauses { every, lasts }| program::Pauses { every, lasts });
        if pauses.as_ref().is_some_and(|pauses| pauses.every.mean() == Some(Span::ZERO)) {
            let problem = Problem::new("an instance that always pauses does nothing")
                .expected("more than 0s");
            self.problem(&["service", name, "pauses", "every"], problem);
        }
        let detection = service.detection;
        let prefetch = service.prefetch.limit();
        let kind = Kind::Service(program::Service { takes: None, prefetch, detection, pauses });
        self.node("service", name, kind, station);
    }

    /// The pools of a service.
    fn pools(&mut self, service: &str, text: &Service) -> Vec<Pool> {
        let mut pools = Vec::new();
        for (name, &language::Pool { size, acquire_timeout }) in &text.pool {
            let path = ["service", service, "pool", name];
            if let Err(problem) = check::name("a pool", name) {
                self.problem(&path, problem);
            }
            if size == 0 {
                let problem = Problem::new(format!("nobody could ever hold a place of `{name}`"));
                self.problem(&path, problem.expected("at least 1").inside("size"));
            }
            pools.push(Pool { name: name.clone(), size, acquire_timeout });
        }
        pools
    }

    /// What a key of a service means, or the problem with it noted.
    fn part<T>(&mut self, service: &str, key: &str, part: Result<T, Problem>) -> Option<T> {
        part.map_err(|problem| self.problem(&["service", service, key], problem)).ok()
    }

    /// The priorities of operations, once every operation has its id.
    pub(super) fn priorities(&mut self, sections: &Sections) {
        for (name, service) in &sections.service {
            for (operation, handler) in &service.on {
                if let Some(id) = self.program.find_operation(&format!("{name}.{operation}")) {
                    self.program.operations[id.0 as usize].priority = handler.priority;
                }
            }
        }
    }
}
