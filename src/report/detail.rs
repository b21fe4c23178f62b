//! How much a table of theory and published figures shows.

/// For whom a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// A terminal of 80 columns: names are cut, and numbers have five digits.
    Terminal,
    /// A page: everything, with the published rows.
    Page,
}

/// A number with so many significant digits, without zeros at its end.
pub(super) fn digits(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let text = format!("{value:.*e}", digits - 1);
    let exponent: i32 = text.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
    if !(-4..15).contains(&exponent) {
        return text;
    }
    let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}
