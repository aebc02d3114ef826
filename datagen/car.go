package datagen

// The model counts in integers, so that every machine computes the same: time in milliseconds,
// physical values in units of 1/256 ("q8": m/s, degrees, volts, ...), charge in 1/65536 percent.
const q8 = 256

// A car's life is a row of days of sixteen slots with one trip each. A day begins cold and charged,
// so nothing before it matters and a reading costs at most one day to regenerate; within a day,
// heat and charge carry over from slot to slot. Days are short (32 minutes) so that runs of a
// minute see trips begin and end, and failures too.
const (
	slotLength  = 120_000 // ms
	slotsPerDay = 16
	dayLength   = slotLength * slotsPerDay
)

// What a car draws random numbers for.
const (
	drawPhase = iota
	drawDay
	drawFailure
	drawTrip
	drawNoise
	drawFate
	drawSilence
)

// A car is the state of one car at one moment of its life. Its zero trip is before the first.
type car struct {
	source source
	noise  source
	phase  int64 // age at the start of the workload, ms: cars are spread over the day

	day      int64 // index of the current day, -1 before the first
	ambient  int64 // q8 degrees C, of the day
	tires    [4]int64
	failures [2]failure
	trip     trip
}

func newCar(seed uint64, i int) car {
	s := source(seed).derive(int64(i))
	return car{
		source: s,
		noise:  s.derive(drawNoise),
		phase:  s.derive(drawPhase).at(0).span(dayLength),
		day:    -1,
	}
}

// seek brings the car to an age. Going on from where it stands and starting from nothing lead to
// the same state: both fold the trips of the day in their order.
func (c *car) seek(age int64) {
	if age >= c.trip.begin && age < c.trip.begin+slotLength && c.day >= 0 {
		return
	}
	day := age / dayLength
	if day != c.day || age < c.trip.begin {
		c.beginDay(day)
	}
	for age >= c.trip.begin+slotLength {
		c.nextTrip()
	}
}

// beginDay starts a day in the morning: the engine is cold, the battery was charged overnight,
// yesterday's failures were repaired.
func (c *car) beginDay(day int64) {
	d := c.source.derive(drawDay).at(day)
	c.day = day
	c.ambient = d.between(8*q8, 32*q8)
	charge := d.between(80, 100) * percent
	pressures := c.source.derive(drawDay).at(^day)
	for i := range c.tires {
		c.tires[i] = pressures.between(30, 34)
	}
	for i := range c.failures {
		c.failures[i] = c.planFailure(day, int64(i))
	}
	c.trip = c.planTrip(day*slotsPerDay, 0, charge)
}

func (c *car) nextTrip() {
	slot := c.trip.begin/slotLength + 1
	heat, charge := c.trip.heatAt(slotLength), c.trip.chargeAt(slotLength)
	c.trip = c.planTrip(slot, heat, charge)
}
