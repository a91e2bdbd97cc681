package cli

import "time"

// parseTime reads a moment that somebody typed for a flag: a time, the begin of a day in UTC, or so long ago. Nothing typed
// is the zero time.
func parseTime(flag, s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(s); err == nil && ago > 0 {
		return now.Add(-ago), nil
	}
	for _, form := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(form, s); err == nil {
			return at, nil
		}
	}
	return time.Time{}, usage("%s %q: want a duration such as 90m, a time such as 2026-11-22T09:00:00Z, or a day such as 2026-11-22", flag, s)
}

// parseEnd reads when something ends that somebody typed for a flag: a time that is to come, or the begin of a day in UTC.
func parseEnd(flag, s string, now time.Time) (time.Time, error) {
	for _, form := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(form, s); err == nil && at.After(now) {
			return at.UTC(), nil
		}
	}
	return time.Time{}, usage("%s %q: want a day to come such as 2027-11-01, or a time", flag, s)
}

// parseDay reads a day that somebody typed for a flag. Nothing typed is otherwise.
func parseDay(flag, s string, otherwise time.Time) (time.Time, error) {
	if s == "" {
		return otherwise, nil
	}
	day, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return day, usage("%s %q: want a day such as 2026-11-22", flag, s)
	}
	return day, nil
}

// stamped writes a time for programs; a zero one is empty.
func stamped(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// localOr is local, with a word for the zero time.
func localOr(t time.Time, otherwise string) string {
	if t.IsZero() {
		return otherwise
	}
	return local(t)
}
