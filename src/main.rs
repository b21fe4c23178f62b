//! The `stormglass` command.

fn main() -> std::process::ExitCode {
    stormglass::cli::main()
}
