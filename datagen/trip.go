package datagen

const percent = 1 << 16 // one percent of charge

// A trip is one slot: the car stands, drives a few legs between stops, and stands again, maybe
// on a charger.
type trip struct {
	begin  int64 // age in ms at which the slot begins
	depart int64 // ms into the slot
	legs   int64
	leg    int64 // length of a leg in ms: pull away, cruise, brake, wait
	ramp   int64 // ms from 0 to cruising speed and back
	cruise int64 // q8 m/s
	rough  int64 // q8 mV that the engine rumbles even when idle; 0 for most trips
	charge int64 // at the begin of the slot, 1/65536 percent
	gain   int64 // charge per ms on the charger, 0 without one
	heat   int64 // of the engine above ambient at the begin of the slot, q8 degrees
}

const stopLength = 3_000 // ms at the end of every leg

func (c *car) planTrip(slot, heat, charge int64) trip {
	d := c.source.derive(drawTrip).at(slot)
	t := trip{begin: slot * slotLength, heat: heat, charge: charge}
	t.depart = d.below(20_000)
	t.legs = d.between(1, 4)
	t.leg = d.between(60_000, 95_000) / t.legs
	t.cruise = d.between(8*q8, 36*q8)
	more := c.source.derive(drawTrip).at(^slot)
	t.ramp = min(t.cruise*1000/q8/more.between(2, 4), (t.leg-stopLength)/2) // 2 to 4 m/s²
	if more.below(8) == 0 {
		t.rough = 40 * q8
	}
	if more.below(2) == 0 {
		t.gain = 20
	}
	return t
}

// motion is what the driver and the road do at one moment.
type motion struct {
	speed    int64 // q8 m/s
	throttle int64 // q8, 0..1
	braking  bool
	driving  bool // the engine is on
}

// motionAt returns the motion at ms into the slot. Speed follows the throttle: it rises while the
// car pulls away, holds while it cruises and falls when the throttle is closed. All of it is in
// the wave of the traffic.
func (t *trip) motionAt(ms int64) motion {
	ms -= t.depart
	if ms < 0 || ms >= t.legs*t.leg {
		return motion{}
	}
	ms %= t.leg
	left := t.leg - stopLength - ms
	speed := t.cruise + t.cruise*triangle(ms)/(16*2000)
	switch {
	case left <= 0:
		return motion{driving: true}
	case ms < t.ramp:
		return motion{speed: speed * ms / t.ramp, throttle: 128 + t.cruise/128, driving: true}
	case left < t.ramp:
		return motion{speed: speed * left / t.ramp, braking: true, driving: true}
	default:
		return motion{speed: speed, throttle: t.cruise/64 + 24, driving: true}
	}
}

// triangle is a wave of 8 s between -2000 and 2000 that begins at 0 and rises.
func triangle(ms int64) int64 {
	ms = (ms + 2000) & 8191 // 8.192 s, to be exact: no division
	return min(ms, 8192-ms) - 2000
}

// driven returns how many of the first ms of the slot the engine was on.
func (t *trip) driven(ms int64) int64 { return min(max(ms-t.depart, 0), t.legs*t.leg) }

// heatAt returns the engine's heat above ambient at ms into the slot. It approaches the working
// temperature while driving and ambient while standing at the destination, from whatever the last
// trip left: hyperbolas, since exp() does not round alike on every machine.
func (t *trip) heatAt(ms int64) int64 {
	const working, warming, cooling = 68 * q8, 30_000, 60_000 // q8 degrees, ms, ms
	on := t.driven(ms)
	heat := working - (working-t.heat)*warming/(warming+on)
	if on == 0 {
		heat = t.heat
	}
	if off := ms - t.depart - on; off > 0 {
		heat = heat * cooling / (cooling + off)
	}
	return heat
}

// chargeAt returns the battery's charge at ms into the slot: driving drains it, the faster the
// more, and a charger at the destination fills it. It never falls below 5 %.
func (t *trip) chargeAt(ms int64) int64 {
	on := t.driven(ms)
	charge := max(t.charge-on*(1+t.cruise/2048), 5*percent)
	if off := ms - t.depart - on; off > 0 {
		charge = min(charge+off*t.gain, 100*percent)
	}
	return charge
}
