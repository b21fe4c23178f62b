//! The built program, as people use it: files in, tables, files and exit codes out.

mod bad_input;
mod begin;
mod budget;
mod campaign;
mod check;
#[path = "../common/mod.rs"]
mod common;
mod docs;
mod import;
mod import_kinds;
mod import_variants;
mod language;
mod library;
mod map;
mod power;
mod renamed;
mod review;
mod search;
mod tools;
mod watch;
