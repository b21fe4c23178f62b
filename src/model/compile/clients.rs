//! Users.

use super::{Compiler, ReadFile, station};
use crate::kernel::time::Span;
use crate::model::language::Clients;
use crate::model::problem::Problem;
use crate::model::program::{self, Kind, OperationId};
use crate::model::quantity::Count;
use crate::model::{arrivals, check};

impl Compiler<'_> {
    pub(super) fn clients(&mut self, name: &str, clients: &Clients, read_file: ReadFile<'_>) {
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
                return self.problem(&["clients", name, "keys"], problem);
            }
        };
        match arrivals::arrivals(&clients.arrivals, read_file) {
            Ok(arrivals) => {
                let kind = Kind::Clients(program::Clients {
                    processes: clients.processes,
                    arrivals,
                    keys,
                    flow: OperationId(0),
                });
                self.node("clients", name, kind, station(1, Count::Unlimited));
            }
            Err(problem) => self.problem(&["clients", name, "arrivals"], problem),
        }
    }
}
