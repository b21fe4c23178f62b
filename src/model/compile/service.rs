//! Services.

use super::{Compiler, station_with};
use crate::model::check;
use crate::model::language::Service;
use crate::model::program::{self, Kind};

impl Compiler<'_> {
    pub(super) fn service(&mut self, name: &str, service: &Service) {
        let mut station = station_with(service.instances, service.workers, service.queue);
        station.balance = service.balance;
        if let Err(problem) = check::count("instances", service.instances, 1, check::INSTANCES_MAX)
        {
            self.problem(&["service", name, "instances"], problem);
        }
        self.node("service", name, Kind::Service(program::Service::default()), station);
    }
}
