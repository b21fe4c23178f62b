//! Moments of a run as people tell them: by the clock where the experiment has one.

use crate::kernel::time::Span;
use crate::model::quantity::TimeOfDay;

/// A moment of a run: `90s` since it began, or `12:01:30` where it began at a time of the day.
pub fn moment(since: Span, starts_at: Option<TimeOfDay>) -> String {
    let Some(starts_at) = starts_at else { return since.to_string() };
    let tenths = since.0 / 100_000_000;
    let text = starts_at.after(Span(tenths / 10 * 1_000_000_000)).to_string();
    match (tenths % 10, text.len()) {
        (0, _) => text,
        // A time of the day without seconds is a whole minute.
        (tenths, 5) => format!("{text}:00.{tenths}"),
        (tenths, _) => format!("{text}.{tenths}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_by_the_clock_where_there_is_one() {
        let told = |millis, clock| {
            let starts_at = TimeOfDay::parse(clock);
            moment(Span::from_millis(millis), starts_at)
        };
        assert_eq!(told(90_000, ""), "90s");
        assert_eq!(told(90_000, "12:00"), "12:01:30");
        assert_eq!(told(60_000, "12:00"), "12:01");
        assert_eq!(told(60_500, "12:00"), "12:01:00.5");
        assert_eq!(told(90_040, "12:00"), "12:01:30");
        assert_eq!(told(600_000, "23:55"), "00:05", "after midnight");
    }
}
