package view

import (
	"cmp"
	"strings"
)

// WindowKey is the identity of a row of the `windows` view.
type WindowKey struct {
	CarID string
	Start int64 // Unix ms, aligned to the window length
}

// Compare orders by car, then by start.
func (k WindowKey) Compare(o WindowKey) int {
	return cmp.Or(strings.Compare(k.CarID, o.CarID), cmp.Compare(k.Start, o.Start))
}

// Window is a row of the `windows` view. Invariant: Readings > 0.
type Window struct {
	WindowKey
	Tally
}

// Key returns the row's identity.
func (w Window) Key() WindowKey { return w.WindowKey }

// AlertKey is the identity of a row of the `alerts` view: that of the reading.
type AlertKey struct {
	CarID string
	Seq   int64
}

// Compare orders by car, then by seq.
func (k AlertKey) Compare(o AlertKey) int {
	return cmp.Or(strings.Compare(k.CarID, o.CarID), cmp.Compare(k.Seq, o.Seq))
}

// Alert is a row of the `alerts` view. It exists exactly for an admitted reading that the
// detector flags, so a window's Anomalies equals its number of alert rows.
type Alert struct {
	AlertKey
	EventTime int64   // Unix ms
	Rule      Rule    // which rule fired; the first in the order of the rules when several did
	Score     float64 // how far beyond the rule's limit: 1 is at the limit, more is worse
}

// Key returns the row's identity.
func (a Alert) Key() AlertKey { return a.AlertKey }

// Rule names what a detector looks for. The conditions themselves are logic and are written by
// each side for itself; the names are part of the answer. 0 is no rule.
type Rule uint8

// The rules, in the order in which they are tested: the first that fires names the alert.
const (
	NoRule Rule = iota
	Overheating
	TireLeak
	ShockAbsorber
	DriveShaft
	BatteryCell
)

var ruleNames = [...]string{"", "overheating", "tire_leak", "shock_absorber", "drive_shaft", "battery_cell"}

// String returns the rule's name as it is served.
func (r Rule) String() string {
	if int(r) < len(ruleNames) {
		return ruleNames[r]
	}
	return "unknown"
}

// ParseRule returns the rule of that name, false when there is none.
func ParseRule(name string) (Rule, bool) {
	for i, n := range ruleNames {
		if n == name && i > 0 {
			return Rule(i), true
		}
	}
	return NoRule, false
}
