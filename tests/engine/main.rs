//! What the simulated system does: clients, services, data, messages, networks, crashes, and
//! that the same seed is the same run.

mod caches;
mod clients;
#[path = "../common/mod.rs"]
mod common;
mod common_random_numbers;
mod conservation;
mod crashes;
mod crowds;
mod data_nodes;
mod determinism;
mod events;
mod fan_out;
mod fault_plans;
mod handlers;
mod hedging;
mod initial_rows;
mod locks;
mod lost_data;
mod messaging;
mod network;
mod outcomes;
mod pools;
mod predicted_rates_messages;
mod prefetch;
mod provider;
mod random_models;
mod relays;
mod repeats;
mod replicas;
mod sentences;
mod service;
mod shipped_digests;
mod stock;
