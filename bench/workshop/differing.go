package workshop

import "strings"

// differing makes of a comparison that has a whole row twice ("… expected {A:1 B:2}, served {A:1 B:3}") one that has the
// key of the row, and what differs. Anything else stays as it is.
func differing(detail string) string {
	before, rest, ok := strings.Cut(detail, "expected {")
	if !ok {
		return detail
	}
	expected, served, ok := strings.Cut(rest, "}, served {")
	if !ok {
		return detail
	}
	want, got := strings.Fields(expected), strings.Fields(closed(served)) // what comes behind is of other rows
	if len(want) != len(got) {
		return detail
	}
	var key, differ []string
	for i := range want {
		name, value := lastField(want[i])
		_, other := lastField(got[i])
		switch {
		case value != other:
			differ = append(differ, name+" is "+other+", not "+value)
		case isKey(name):
			key = append(key, name+" "+value)
		}
	}
	if len(differ) == 0 {
		return detail
	}
	return before + strings.TrimLeft(strings.Join(key, ", ")+": ", ": ") + strings.Join(differ, "; ")
}

// closed is a text up to the brace that closes it, or all of it.
func closed(text string) string {
	depth := 1
	for i, r := range text {
		switch r {
		case '{':
			depth++
		case '}':
			depth--
		}
		if depth == 0 {
			return text[:i]
		}
	}
	return text
}

// lastField cuts "Tally:{Readings:10" into its innermost name and value.
func lastField(field string) (name, value string) {
	at := strings.LastIndex(field, ":")
	if at < 0 {
		return "", field
	}
	name = field[:at]
	name = name[strings.LastIndexAny(name, ":{")+1:]
	return name, strings.Trim(field[at+1:], "{}[]")
}

// isKey reports whether a field says which row it is.
func isKey(name string) bool { return name == "CarID" || name == "Seq" || name == "Start" }
