package fleetreport

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"lambdakappa/view"
)

// dayMs is a day of event time. Days are those of UTC: none is longer than another.
const dayMs = 24 * 60 * 60 * 1000

// A fold is the report of one partition. A car is in one partition, so partitions are independent.
type fold struct {
	cars       map[string]*car
	readings   int64 // that count
	duplicates int64 // the same bytes again
	conflicts  int64 // the same identity with other content
	rows       int64
}

// car is what is known of one car.
type car struct {
	id    string
	seen  prints
	days  map[int64]*tally // by day since 1970
	day   int64            // that today belongs to
	today *tally           // readings mostly come in order, so the next is of this day too
}

// tally is what is known of one car on one day.
type tally struct {
	readings   int64
	speedSum   int64 // m/s, in view's fixed point, so that order does not matter
	speedMax   float32
	coolantMax float32
	voltageMin float32
	tireMin    int32
	tire       int // index in tireColumns of the tyre that had it; the first of equals
}

func newFold() *fold { return &fold{cars: map[string]*car{}} }

func (f *fold) car(id string) *car {
	c := f.cars[id]
	if c == nil {
		c = &car{id: id, days: map[int64]*tally{}, day: math.MinInt64}
		f.cars[id] = c
	}
	return c
}

// add folds rows in log order: of several readings of one identity the first one counts.
func (f *fold) add(c *columns) error {
	cars := make([]*car, len(c.cars))
	for i, id := range c.cars {
		cars[i] = f.car(id)
	}
	f.rows += int64(len(c.car))
	for i, index := range c.car {
		car, print := cars[index], max(1, uint32(c.print[i])) // 0 is none
		if prior := car.seen.note(c.seq[i], print); prior != 0 {
			if prior == print {
				f.duplicates++
			} else {
				f.conflicts++
			}
			continue
		}
		f.readings++
		car.on(c.time[i]/dayMs).add(c, i)
	}
	return nil
}

// on returns the tally of a day, which may be new.
func (c *car) on(day int64) *tally {
	if c.day != day {
		t := c.days[day]
		if t == nil {
			inf := float32(math.Inf(1))
			t = &tally{
				speedMax: -inf, coolantMax: -inf, voltageMin: inf, tireMin: math.MaxInt32,
				tire: len(tireColumns),
			}
			c.days[day] = t
		}
		c.day, c.today = day, t
	}
	return c.today
}

func (t *tally) add(c *columns, i int) {
	t.readings++
	t.speedSum += view.Fixed(c.speed[i])
	t.speedMax = max(t.speedMax, c.speed[i])
	t.coolantMax = max(t.coolantMax, c.coolant[i])
	t.voltageMin = min(t.voltageMin, c.voltage[i])
	for tire := range c.tires {
		psi := c.tires[tire][i]
		if psi < t.tireMin || psi == t.tireMin && tire < t.tire {
			t.tireMin, t.tire = psi, tire
		}
	}
}

// days puts the folds of all partitions together: by day, and in it by car.
func days(folds []*fold, secondsPerReading float64) []Day {
	byDay := map[int64][]CarDay{}
	for _, f := range folds {
		for _, c := range f.cars {
			for day, t := range c.days {
				byDay[day] = append(byDay[day], t.row(c.id, secondsPerReading))
			}
		}
	}
	var all []Day
	for day, cars := range byDay {
		slices.SortFunc(cars, func(a, b CarDay) int { return strings.Compare(a.Car, b.Car) })
		all = append(all, Day{Date: dateOf(day), Fleet: fleetOf(cars), Cars: cars})
	}
	slices.SortFunc(all, func(a, b Day) int { return cmp.Compare(a.Date, b.Date) })
	return all
}

func (t *tally) row(car string, secondsPerReading float64) CarDay {
	speeds := view.Mean(t.speedSum, 1)
	return CarDay{
		Car: car, Readings: t.readings,
		DistanceM: speeds * secondsPerReading, SpeedMean: speeds / float64(t.readings),
		SpeedMax: t.speedMax, CoolantTempMax: t.coolantMax, BatteryVoltageMin: t.voltageMin,
		TirePressureMin: t.tireMin, WorstTire: strings.TrimPrefix(tireColumns[t.tire], "tire_pressure_"),
	}
}

// fleetOf sums up a day. The cars are in order, so the sum of distances is always the same.
func fleetOf(cars []CarDay) Fleet {
	f := Fleet{CarsActive: len(cars)}
	var speeds float64
	for i := range cars {
		c := &cars[i]
		f.Readings += c.Readings
		f.DistanceM += c.DistanceM
		speeds += c.SpeedMean * float64(c.Readings)
		f.SpeedMax = max(f.SpeedMax, c.SpeedMax)
		if i == 0 || c.TirePressureMin < f.WorstTire.PSI {
			f.WorstTire = WorstTire{Car: c.Car, Tire: c.WorstTire, PSI: c.TirePressureMin}
		}
		if i == 0 || c.CoolantTempMax > f.Hottest.CoolantTemp {
			f.Hottest = Hottest{Car: c.Car, CoolantTemp: c.CoolantTempMax}
		}
		if i == 0 || c.BatteryVoltageMin < f.WeakestBattery.Voltage {
			f.WeakestBattery = WeakestBattery{Car: c.Car, Voltage: c.BatteryVoltageMin}
		}
	}
	f.SpeedMean = speeds / float64(f.Readings)
	return f
}
