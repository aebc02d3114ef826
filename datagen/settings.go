package datagen

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A setting is one named field of Disturbances, as it is written on the command line.
type setting struct {
	name   string
	rate   *float64 // a share of the readings
	factor *float64
	length *time.Duration
}

func (d *Disturbances) settings() []setting {
	return []setting{
		{name: "out-of-order", rate: &d.OutOfOrder},
		{name: "late", rate: &d.Late},
		{name: "duplicates", rate: &d.Duplicates},
		{name: "conflicts", rate: &d.Conflicts},
		{name: "malformed", rate: &d.Malformed},
		{name: "skew", rate: &d.Skew},
		{name: "silent", rate: &d.Silent},
		{name: "silent-for", length: &d.SilentFor},
		{name: "burst-factor", factor: &d.BurstFactor},
		{name: "burst-every", length: &d.BurstEvery},
		{name: "burst-length", length: &d.BurstLength},
	}
}

// ParseDisturbances reads what [Disturbances.String] writes: "out-of-order=0.05,late=0.01". The
// empty text disturbs nothing. The error names the setting and what it takes.
func ParseDisturbances(text string) (Disturbances, error) {
	var d Disturbances
	settings := d.settings()
	for _, part := range strings.Split(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		if err := assign(settings, name, value); err != nil {
			return Disturbances{}, err
		}
	}
	return d, d.validate()
}

func assign(settings []setting, name, value string) error {
	var names []string
	for _, s := range settings {
		names = append(names, s.name)
		if s.name != name {
			continue
		}
		if s.parse(value) != nil {
			return fmt.Errorf("disturbance %s %q: takes %s", name, value, s.takes())
		}
		return nil
	}
	return fmt.Errorf("disturbance %q: is none of %s", name, strings.Join(names, ", "))
}

func (s setting) parse(value string) (err error) {
	switch {
	case s.rate != nil:
		*s.rate, err = strconv.ParseFloat(value, 64)
	case s.factor != nil:
		*s.factor, err = strconv.ParseFloat(value, 64)
	default:
		*s.length, err = time.ParseDuration(value)
	}
	return err
}

func (s setting) takes() string {
	switch {
	case s.rate != nil:
		return "a rate between 0 and 1"
	case s.factor != nil:
		return "a factor such as 10"
	default:
		return "a duration such as 30s"
	}
}

// String writes the settings that are not 0, as [ParseDisturbances] reads them.
func (d Disturbances) String() string {
	var parts []string
	for _, s := range d.settings() {
		switch {
		case s.rate != nil && *s.rate != 0:
			parts = append(parts, s.name+"="+strconv.FormatFloat(*s.rate, 'g', -1, 64))
		case s.factor != nil && *s.factor != 0:
			parts = append(parts, s.name+"="+strconv.FormatFloat(*s.factor, 'g', -1, 64))
		case s.length != nil && *s.length != 0:
			parts = append(parts, s.name+"="+s.length.String())
		}
	}
	return strings.Join(parts, ",")
}
