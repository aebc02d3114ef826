package kappa

import (
	"strings"

	"lambdakappa/view"
)

// ViewName names the view that a configuration builds: what is live, and what is a candidate beside
// it, is told by this name. It is the version alone when everything is kept, and else version and
// views: "v1-windows-alerts". So a view is added like new logic is, by a replay beside the live one.
func (c Config) ViewName() string {
	if c.Views == view.All {
		return c.Version
	}
	return c.Version + "-" + strings.ReplaceAll(c.Views.String(), ",", "-")
}

// readName splits a name that ViewName has made.
func readName(name string) (version string, views view.Set) {
	version, rest, less := strings.Cut(name, "-")
	if !less {
		return version, view.All
	}
	views, err := view.ParseSet(strings.ReplaceAll(rest, "-", ","))
	if err != nil {
		return name, view.All // nobody writes such a name; it is nobody's version either
	}
	return version, views
}
