//! Users.

use super::{Compiler, station};
use crate::kernel::draw::Probability;
use crate::kernel::time::Span;
use crate::model::language::Clients;
use crate::model::problem::Problem;
use crate::model::program::{self, Kind};
use crate::model::quantity::Count;
use crate::model::recording::ReadFile;
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
        let subkeys = match subkeys(clients, keys.len()) {
            Ok(subkeys) => subkeys,
            Err(problem) => {
                return self.problem(&["clients", name, "subkeys"], problem);
            }
        };
        self.program.subkeys = self.program.subkeys.max(subkeys.len() as u32);
        let hot = match hot(clients, keys.len()) {
            Ok(hot) => hot,
            Err(problem) => {
                return self.problem(&["clients", name, "hot"], problem);
            }
        };
        match arrivals::arrivals(&clients.arrivals, read_file) {
            Ok(arrivals) => {
                let kind = Kind::Clients(program::Clients {
                    processes: clients.processes,
                    arrivals,
                    keys,
                    subkeys,
                    hot,
                    flows: Vec::new(),
                });
                self.node("clients", name, kind, station(1, Count::Unlimited));
            }
            Err(problem) => self.problem(&["clients", name, "arrivals"], problem),
        }
    }
}

/// The most rows of a table with a row for each subkey.
const ROWS_MAX: usize = 1_000_000;

/// Which things there are within each of so many keys.
fn subkeys(clients: &Clients, keys: usize) -> Result<Vec<u64>, Problem> {
    let subkeys = arrivals::key_table(clients.subkeys)?;
    let rows = keys.max(1) * subkeys.len();
    if rows > ROWS_MAX {
        return Err(Problem::new(format!("{rows} subkeys of all keys are too many"))
            .expected(format!("at most {ROWS_MAX}")));
    }
    Ok(subkeys)
}

/// The hot part of the users of so many keys.
fn hot(clients: &Clients, keys: usize) -> Result<Option<program::Hot>, Problem> {
    let Some(hot) = clients.hot else { return Ok(None) };
    if keys == 0 {
        return Err(Problem::new("all users are about the same key")
            .expected("more than one of `keys`")
            .inside("share"));
    }
    if hot.every == Span::ZERO {
        return Err(Problem::new("no key is hot for no time at all")
            .expected("more than 0s")
            .inside("every"));
    }
    Ok(Some(program::Hot { share: Probability::new(hot.share.0), every: hot.every }))
}
