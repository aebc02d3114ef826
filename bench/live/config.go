package live

import (
	"fmt"
	"os"
	"runtime"
	"time"
)

// Config says what a live page shows. Start from [DefaultConfig].
type Config struct {
	Binary string // this program, which is every part
	Dir    string // holds all data and logs; it is removed at the end unless it was there before
	Listen string // host:port of the page; empty is [DefaultListen], or any free port where that is taken

	Rate     float64       // events/s
	Cars     int           // in the fleet, which sends all the time
	Interval time.Duration // between the starts of two batch runs, to begin with
	Keep     time.Duration // how far back log, views and master dataset go
	Seed     uint64

	Revision string                           // of the source, for the page
	Broker   string                           // name and version of the embedded broker, for the page
	Say      func(format string, args ...any) // what a person at the terminal should know
}

// The limits of a Config.
const (
	leastKeep = judged + 2*time.Minute // what is judged is kept, however late it is looked at
	mostCars  = 20_000                 // the page draws every one
)

// DefaultListen is where a page is, unless something else is there.
const DefaultListen = "127.0.0.1:8090"

// DefaultConfig is a page for a laptop.
func DefaultConfig() Config {
	binary, _ := os.Executable() // Validate names an empty one
	return Config{
		Binary: binary, Rate: 2000, Interval: 10 * time.Second, Keep: 10 * time.Minute, Seed: 1,
		Say: func(string, ...any) {},
	}
}

// complete fills in what follows from the rest.
func (c Config) complete() Config {
	if c.Cars == 0 {
		c.Cars = max(int(c.Rate), 1) // a reading a second each
	}
	return c
}

// Validate returns an error that names the first field that cannot work, and what it takes.
func (c Config) Validate() error {
	c = c.complete()
	switch {
	case c.Binary == "":
		return fmt.Errorf("binary: this program cannot find itself")
	case c.Rate < 1 || c.Rate > 1e6:
		return fmt.Errorf("rate %v: takes between 1 and 1000000 events a second", c.Rate)
	case c.Cars < 1 || c.Cars > mostCars:
		return fmt.Errorf("cars %d: takes between 1 and %d", c.Cars, mostCars)
	case float64(c.Cars) < c.Rate/100:
		return fmt.Errorf("cars %d: too few for %v events a second: each would send more than a hundred times a second", c.Cars, c.Rate)
	case c.Interval < time.Second:
		return fmt.Errorf("interval %s: takes at least 1s", c.Interval)
	case c.Keep < leastKeep:
		return fmt.Errorf("keep %s: takes at least %s", c.Keep, leastKeep)
	}
	return nil
}

// machine is where the page runs, in a few words.
func machine() string {
	return fmt.Sprintf("%s/%s, %d cores", runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0))
}
