//! The conditions of a price: dates, hours and weekdays, tier, batch, speed, location.

/// The known conditions of a call.
#[derive(Debug, Clone, Default)]
pub struct CallConditions<'a> {
    /// The time of the call, in seconds since 1970, UTC.
    pub at: i64,
    /// The tier that served the call, if it is not the standard one.
    pub tier: Option<&'a str>,
    /// Whether the call was part of a batch.
    pub batch: bool,
    /// The speed that served the call, if it is not the standard one.
    pub speed: Option<&'a str>,
    /// The location of the model.
    pub geo: Option<&'a str>,
    /// The region of the endpoint.
    pub region: Option<&'a str>,
    /// Further conditions that a row may have.
    pub extra_conditions: &'a [(String, String)],
}

/// The conditions of a row. All of them must be met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct When {
    /// The first second of validity.
    pub from: Option<i64>,
    /// The first second after the validity.
    pub until: Option<i64>,
    days: Option<u8>,
    /// Minutes of the day; the end is excluded.
    hours: Option<(u16, u16)>,
    /// Minutes east of UTC, for days and hours.
    zone: i32,
    /// The tier.
    pub tier: Option<Box<str>>,
    /// Whether the row is for batches.
    pub batch: bool,
    /// The speed.
    pub speed: Option<Box<str>>,
    geo: Option<Box<str>>,
    region: Option<Box<str>>,
    extra_conditions: Vec<(Box<str>, Box<str>)>,
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl When {
    /// Parses `from=2026-08-16T16:00Z days=mon-fri hours=09:00-12:00 zone=+08:00 tier=flex batch`, or `-` for always.
    ///
    /// # Errors
    /// Returns the invalid condition.
    pub fn parse(text: &str) -> Result<When, String> {
        let mut when = When::default();
        for item in text.split_ascii_whitespace().filter(|item| *item != "-") {
            let bad = || format!("invalid condition {item:?}");
            let (key, value) = item.split_once('=').unwrap_or((item, ""));
            match key {
                "from" => when.from = Some(instant(value).ok_or_else(bad)?),
                "until" => when.until = Some(instant(value).ok_or_else(bad)?),
                "days" => when.days = Some(days(value).ok_or_else(bad)?),
                "hours" => when.hours = Some(hours(value).ok_or_else(bad)?),
                "zone" => when.zone = zone(value).ok_or_else(bad)?,
                "batch" if value.is_empty() => when.batch = true,
                _ if value.is_empty() => return Err(bad()),
                "tier" => when.tier = Some(value.into()),
                "speed" => when.speed = Some(value.into()),
                "geo" => when.geo = Some(value.into()),
                "region" => when.region = Some(value.into()),
                _ => when.extra_conditions.push((key.into(), value.into())),
            }
        }
        Ok(when)
    }

    /// Returns the names of the extra conditions.
    pub fn into_extra_conditions(self) -> impl Iterator<Item = String> {
        self.extra_conditions.into_iter().map(|(name, _)| name.into())
    }

    /// Returns whether all conditions are met.
    #[must_use]
    pub fn holds(&self, now: &CallConditions<'_>) -> bool {
        (!self.batch || now.batch)
            && wanted(&self.tier, now.tier)
            && wanted(&self.speed, now.speed)
            && self.from.is_none_or(|from| from <= now.at)
            && self.until.is_none_or(|until| now.at < until)
            && wanted(&self.geo, now.geo)
            && wanted(&self.region, now.region)
            && (self.days.is_none() && self.hours.is_none() || self.holds_at(now.at))
            && self.extra_conditions.iter().all(|(key, value)| {
                now.extra_conditions
                    .iter()
                    .any(|(known, reported)| **known == **key && reported.eq_ignore_ascii_case(value))
            })
    }

    fn holds_at(&self, at: i64) -> bool {
        let local = at + i64::from(self.zone) * 60;
        let (day, minute) = (local.div_euclid(86_400), local.rem_euclid(86_400) / 60);
        // 1970-01-01 was a Thursday.
        let weekday = (day + 3).rem_euclid(7);
        self.days.is_none_or(|days| days >> weekday & 1 == 1)
            && self.hours.is_none_or(|(start, end)| {
                let (start, end) = (i64::from(start), i64::from(end));
                if start < end { (start..end).contains(&minute) } else { minute >= start || minute < end }
            })
    }

    /// Returns the number of conditions about the service mode: batch, tier, speed.
    #[must_use]
    pub fn modes(&self) -> usize {
        usize::from(self.batch) + usize::from(self.tier.is_some()) + usize::from(self.speed.is_some())
    }

    /// Returns the number of conditions besides dates.
    #[must_use]
    pub fn specific(&self) -> usize {
        self.modes()
            + usize::from(self.days.is_some())
            + usize::from(self.hours.is_some())
            + usize::from(self.geo.is_some())
            + usize::from(self.region.is_some())
            + self.extra_conditions.len()
    }

    /// Returns the label of the service mode: `batch`, `priority`, ...
    #[must_use]
    pub fn label(&self) -> String {
        let batch = if self.batch { Some("batch") } else { None };
        let parts = [batch, self.tier.as_deref(), self.speed.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// Returns whether a value meets a condition: `value`, or with `!` any reported value but this one.
fn wanted(condition: &Option<Box<str>>, reported: Option<&str>) -> bool {
    match condition.as_deref() {
        None => true,
        Some(wanted) => match (wanted.strip_prefix('!'), reported) {
            (Some(not), Some(reported)) => !reported.eq_ignore_ascii_case(not),
            (None, Some(reported)) => reported.eq_ignore_ascii_case(wanted),
            (_, None) => false,
        },
    }
}

fn days(text: &str) -> Option<u8> {
    let position = |name: &str| DAYS.iter().position(|day| *day == name);
    let mut mask = 0;
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (position(first)?, position(last)?);
        let mut day = first;
        loop {
            mask |= 1 << day;
            if day == last {
                break;
            }
            day = (day + 1) % 7;
        }
    }
    Some(mask)
}

fn hours(text: &str) -> Option<(u16, u16)> {
    let (start, end) = text.split_once('-')?;
    Some((clock(start)?, clock(end)?))
}

fn clock(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute) = (two(hour)?, two(minute)?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

fn two(text: &str) -> Option<u16> {
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn zone(text: &str) -> Option<i32> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    Some(sign * i32::from(clock(rest)?))
}

/// Parses `2026-08-16`, `2026-08-16T16:00Z` or `2026-08-16T16:00:05+08:00` to seconds since 1970; the default zone is
/// UTC.
#[must_use]
pub fn instant(text: &str) -> Option<i64> {
    let (date, time) = match text.find(['T', ' ', 't']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?),
        None => (text, "00:00"),
    };
    let (year, month, day) = date_parts(date)?;
    let (time, offset) = match time.find(['Z', 'z', '+', '-']) {
        Some(at) if time.as_bytes()[at] | 0x20 == b'z' => {
            (time.get(..at)?, time.get(at + 1..)?.is_empty().then_some(0)?)
        }
        Some(at) => (time.get(..at)?, zone(time.get(at..)?)?),
        None => (time, 0),
    };
    let (minutes, seconds) = if time.len() > 5 {
        let rest = time.get(5..)?.strip_prefix(':')?;
        (time.get(..5)?, two(rest.split('.').next()?)?)
    } else {
        (time, 0)
    };
    if seconds > 60 {
        return None;
    }
    let minute = i64::from(clock(minutes)?) - i64::from(offset);
    Some(days_from_civil(year, month, day) * 86_400 + minute * 60 + i64::from(seconds))
}

/// Returns year, month and day of `2026-08-16`, if the date exists.
#[must_use]
pub fn date_parts(text: &str) -> Option<(i64, i64, i64)> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    real_date(text.get(..4)?, text.get(5..7)?, text.get(8..)?)
}

/// Returns year, month and day of three strings, if the date exists.
#[must_use]
pub fn real_date(year: &str, month: &str, day: &str) -> Option<(i64, i64, i64)> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !(digits(year) && digits(month) && digits(day)) {
        return None;
    }
    let (year, month, day): (i64, i64, i64) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    ((1..=last).contains(&day)).then_some((year, month, day))
}

/// Returns the days since 1970 of a date of the Gregorian calendar (Howard Hinnant's algorithm).
#[must_use]
pub fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_with_their_zone() {
        for (text, expected) in [
            ("1970-01-01", Some(0)),
            ("2026-08-16T16:00Z", Some(1_786_896_000)),
            ("2026-08-17T00:00:00+08:00", Some(1_786_896_000)),
            ("2026-08-16 16:00:00", Some(1_786_896_000)),
            ("2026-08-16T16:00:00.250Z", Some(1_786_896_000)),
            ("2026-02-29", None),
            ("2028-02-29", Some(1_835_395_200)),
            ("2026-8-16", None),
            ("yesterday", None),
        ] {
            assert_eq!(instant(text), expected, "{text}");
        }
    }

    #[test]
    fn hours_and_weekdays_are_those_of_the_zone() {
        let peak = When::parse("days=mon-fri hours=09:00-12:00 zone=+08:00").unwrap();
        for (at, expected) in [
            ("2026-11-18T00:59:59Z", false),
            ("2026-11-18T01:00:00Z", true),
            ("2026-11-18T03:59:59Z", true),
            ("2026-11-18T04:00:00Z", false),
            ("2026-11-21T02:00:00Z", false),
            ("2026-11-18T09:30:00+08:00", true),
        ] {
            let now = CallConditions { at: instant(at).unwrap(), ..CallConditions::default() };
            assert_eq!(peak.holds(&now), expected, "{at}");
        }
    }

    #[test]
    fn hours_may_pass_midnight() {
        let night = When::parse("hours=16:30-00:30").unwrap();
        for (at, expected) in [
            ("2025-03-01T16:29Z", false),
            ("2025-03-01T16:30Z", true),
            ("2025-03-02T00:29Z", true),
            ("2025-03-02T00:30Z", false),
        ] {
            assert_eq!(
                night.holds(&CallConditions { at: instant(at).unwrap(), ..CallConditions::default() }),
                expected,
                "{at}"
            );
        }
    }

    #[test]
    fn a_condition_that_is_not_understood_is_refused() {
        for text in ["from=tomorrow", "days=mon-xyz", "hours=9-12", "zone=cet", "weekend", "tier="] {
            assert_eq!(When::parse(text), Err(format!("invalid condition {text:?}")));
        }
    }
}
