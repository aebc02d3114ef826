package datagen

import "lambdakappa/event"

// firmware is the version that every car runs, unless its update was rolled back.
const (
	firmware    = 2000
	oldFirmware = 1000
)

// sensors are what the car's sensors would show, in the model's integers.
type sensors struct {
	motion
	coolant, intakeTemp, airFlow int64

	//bench:change field
	ambient int64

	charge, voltage, current int64
	vibration                int64
	tires                    [4]int64
	acceleration             [4]int64
	firmware                 int32
}

// read fills the sensor fields of e, whose identity and event time are set, with what the car
// measures ms after the start of the workload, and returns what is wrong with the car.
func (c *car) read(ms int64, e *event.CarSensor) Labels {
	age := c.phase + ms
	c.seek(age)
	var s sensors
	c.sound(age-c.trip.begin, e.Seq, &s)
	var labels Labels
	for i := range c.failures {
		if f := &c.failures[i]; age >= f.begin && age < f.repair {
			labels |= f.kind
			f.apply(age-f.begin, &s)
		}
	}
	s.store(e)
	return labels
}

// sound computes what a sound car measures at ms into its trip.
func (c *car) sound(ms, seq int64, s *sensors) {
	t := &c.trip
	s.motion = t.motionAt(ms)
	d := c.noise.at(2 * seq)
	heat := t.heatAt(ms)
	s.coolant = c.ambient + heat + d.noise(7)
	s.intakeTemp = c.ambient + heat>>4 + d.noise(6)
	if s.throttle > 0 {
		s.throttle += d.noise(3)
	}
	s.airFlow = 4*q8 + s.throttle*150 + d.noise(8)
	s.charge = t.chargeAt(ms) / (percent / q8)
	s.current = q8/2 + s.throttle*45 + d.noise(6)
	if s.braking {
		s.current -= s.speed / 4 // recuperation
	}
	s.voltage = 216*q8 + s.charge*3/8 - s.current/8 + d.noise(7)
	s.vibration = s.speed * (100 + d.noise(2))
	if s.driving {
		s.vibration += t.rough
	}
	c.bumps(seq, s)
	s.tires = c.tires
	s.firmware = firmware
	s.ambient = freezing + c.ambient + d.noise(3) //bench:change field
}

// freezing is 0 degrees C in K.
//
//bench:change field
const freezing = 273 * q8

// bumps are the road: the faster the car, the more every corner feels of it, and braking throws
// the weight forward.
func (c *car) bumps(seq int64, s *sensors) {
	d := c.noise.at(2*seq + 1)
	base := q8/2 + s.speed>>5
	for i := range s.acceleration {
		s.acceleration[i] = base + d.noise(6)
		if s.braking && i < 2 {
			s.acceleration[i] += q8
		}
		if d.noise(0) < 0 {
			s.acceleration[i] = -s.acceleration[i]
		}
	}
}

// apply bends what the sensors show, ms after the failure began.
func (f *failure) apply(ms int64, s *sensors) {
	switch f.kind {
	case Overheating: // up to 25..57 degrees in excess, within a minute
		s.coolant += min(ms/4, (25+f.size/8)*q8)
	case TireLeak: // 1 psi every 10..25 s, down to 14
		lost := ms / (10_000 + f.size*60)
		s.tires[f.corner] = max(s.tires[f.corner]-lost, 14)
	case ShockAbsorber:
		if s.speed > 2*q8 {
			s.acceleration[f.corner] *= 6 + f.size/64
		}
	case DriveShaft:
		s.vibration += s.speed * (60 + f.size/4)
	case BatteryCell: // the more load, the more it gives in
		s.voltage -= (35+f.size/16)*q8 + s.current/4
	case OutdatedFirmware:
		s.firmware = oldFirmware
	}
}

func (s *sensors) store(e *event.CarSensor) {
	e.CoolantTemp = value(s.coolant)
	e.IntakeAirTemp = value(s.intakeTemp)
	e.IntakeAirFlowSpeed = value(s.airFlow)
	e.BatteryPercentage = value(s.charge)
	e.BatteryVoltage = value(s.voltage)
	e.CurrentDraw = value(s.current)
	e.Speed = value(s.speed)
	e.EngineVibrationAmplitude = value(s.vibration)
	e.ThrottlePos = value(s.throttle)
	e.TirePressure11, e.TirePressure12 = int32(s.tires[0]), int32(s.tires[1])
	e.TirePressure21, e.TirePressure22 = int32(s.tires[2]), int32(s.tires[3])
	e.Accelerometer11, e.Accelerometer12 = value(s.acceleration[0]), value(s.acceleration[1])
	e.Accelerometer21, e.Accelerometer22 = value(s.acceleration[2]), value(s.acceleration[3])
	e.ControlUnitFirmware = s.firmware
	e.AmbientTemp = value(s.ambient) //bench:change field
}

// value returns q8 as a float32, exactly: |q| stays below 2^24.
func value(q int64) float32 { return float32(q) * (1.0 / q8) }
