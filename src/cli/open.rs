//! `stormglass open`: the page of a result folder, in whatever opens pages on this machine.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Failure, output};

/// What `open` is told.
#[derive(Debug, clap::Args)]
pub(super) struct OpenArguments {
    /// The folder of the results; without it, the one under out/ that was written last.
    folder: Option<PathBuf>,
}

/// The page in a folder of results.
const PAGE: &str = "report.html";
/// So often it is looked whether the opener has failed, and so long between.
const LOOKS: (u32, Duration) = (20, Duration::from_millis(50));

/// Opens the page, and says where it is.
pub(super) fn open(arguments: &OpenArguments) -> Result<(), Failure> {
    let page = match &arguments.folder {
        Some(folder) => page_of(folder),
        None => newest(Path::new("out")),
    }?;
    let page = std::path::absolute(&page).unwrap_or(page);
    output::print(&format!("{}\n", page.display()))?;
    if !is_opened(&page) {
        output::error("nothing here opens pages: open it in a browser yourself");
    }
    Ok(())
}

/// The page of a folder of results; a page may be named itself.
fn page_of(folder: &Path) -> Result<PathBuf, Failure> {
    let page = if folder.is_file() { folder.to_path_buf() } else { folder.join(PAGE) };
    if page.is_file() {
        return Ok(page);
    }
    Err(Failure::Input(format!(
        "error: there is no `{}`\n\
         help: `stormglass run` writes it into the folder of its results",
        page.display()
    )))
}

/// The page of those in a folder that was written last.
fn newest(folder: &Path) -> Result<PathBuf, Failure> {
    let pages = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let written = |page: PathBuf| Some((page.metadata().ok()?.modified().ok()?, page));
    let newest = pages.filter_map(|entry| written(entry.path().join(PAGE))).max();
    newest.map(|(_, page)| page).ok_or_else(|| {
        Failure::Input(
            "error: there is no folder of results with a page in `out`\n\
             help: stormglass open DIR, with the folder that `stormglass run` has named"
                .to_owned(),
        )
    })
}

/// Whether a program has taken the page. One that has not failed soon has.
fn is_opened(page: &Path) -> bool {
    let mut opener = match std::env::consts::OS {
        "macos" => Command::new("open"),
        "windows" => {
            let mut shell = Command::new("cmd");
            shell.args(["/C", "start", ""]);
            shell
        }
        _ => Command::new("xdg-open"),
    };
    opener.arg(page).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut process) = opener.spawn() else { return false };
    let (looks, between) = LOOKS;
    for _ in 0..looks {
        match process.try_wait() {
            Ok(None) => std::thread::sleep(between),
            Ok(Some(status)) => return status.success(),
            Err(_) => return false,
        }
    }
    true
}
