//! Services.

use super::{Compiler, station_with};
use crate::kernel::time::Span;
use crate::model::check;
use crate::model::language::{Pauses, Service};
use crate::model::problem::Problem;
use crate::model::program::{self, Kind};

impl Compiler<'_> {
    pub(super) fn service(&mut self, name: &str, service: &Service) {
        let mut station = station_with(service.instances, service.workers, service.queue);
        station.balance = service.balance;
        if let Err(problem) = check::count("instances", service.instances, 1, check::INSTANCES_MAX)
        {
            self.problem(&["service", name, "instances"], problem);
        }
        let pauses = service.pauses.map(|Pauses { every, lasts }| program::Pauses { every, lasts });
        if service.pauses.is_some_and(|pauses| pauses.every.mean() == Some(Span::ZERO)) {
            let problem = Problem::new("an instance that always pauses does nothing")
                .expected("more than 0s");
            self.problem(&["service", name, "pauses", "every"], problem);
        }
        let detection = service.detection;
        let kind = Kind::Service(program::Service { takes: None, detection, pauses });
        self.node("service", name, kind, station);
    }
}
