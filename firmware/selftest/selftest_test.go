package selftest

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// everything is a phone that has all parts.
func everything() map[Part]Presence {
	hardware := map[Part]Presence{}
	for part := range parts {
		hardware[part] = Fitted
	}
	return hardware
}

func good() Result { return Judge(Words("all", "yes", "yes")) }

// play runs a plan in no time; results by ID, and good ones for the rest.
func play(t *testing.T, plan Plan, results map[ID]Result) Report {
	t.Helper()
	session, err := Begin(plan, noon)
	if err != nil {
		t.Fatal(err)
	}
	for {
		test, ok := session.Next(noon)
		if !ok {
			return session.Report()
		}
		result, special := results[test.ID]
		if !special {
			result = good()
		}
		session.Finish(noon, result)
	}
}

func (r Report) find(id ID) Finding {
	i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Test.ID == id })
	if i < 0 {
		return Finding{}
	}
	return r.Findings[i]
}

func planOf(t *testing.T, level Level, hardware map[Part]Presence, names ...ID) Plan {
	t.Helper()
	tests, err := Select(Standard(PartIdentity, PartKeypad, PartClock, PartHandset), level, names...)
	if err != nil {
		t.Fatal(err)
	}
	return Plan{Level: level, Tests: tests, Hardware: hardware}
}

func TestAPlanThatCannotBeRunIsRefused(t *testing.T) {
	for name, plan := range map[string]Plan{
		"no such level":      {Level: LevelCount},
		"a test twice":       {Tests: []Test{{ID: "a", Timeout: 1}, {ID: "a", Timeout: 1}}},
		"a test of no name":  {Tests: []Test{{Timeout: 1}}},
		"no timeout":         {Tests: []Test{{ID: "a"}}},
		"its own parent":     {Tests: []Test{{ID: "a", Parent: "a", Timeout: 1}}},
		"a circle":           {Tests: []Test{{ID: "a", Parent: "b", Timeout: 1}, {ID: "b", Parent: "c", Timeout: 1}, {ID: "c", Parent: "a", Timeout: 1}}},
		"a circle beside it": {Tests: []Test{{ID: "x", Timeout: 1}, {ID: "a", Parent: "b", Timeout: 1}, {ID: "b", Parent: "a", Timeout: 1}}},
	} {
		if _, err := Begin(plan, noon); err == nil || errors.Is(err, ErrBusy) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOnlyQuietLevelsRunWhileSomebodyMayTelephone(t *testing.T) {
	for level := range LevelCount {
		for _, plan := range []Plan{{CallUp: true}, {AgentReady: true}, {CallUp: true, AgentReady: true}} {
			plan.Level = level
			_, err := Begin(plan, noon)
			if refused := errors.Is(err, ErrBusy); refused != (level == Technician || level == Factory) {
				t.Errorf("%v, call %t, ready %t: %v", level, plan.CallUp, plan.AgentReady, err)
			}
		}
	}
}

func TestAnUnknownTestIsRefusedAndAKnownOneBringsItsAncestors(t *testing.T) {
	tests := Standard(PartHandset)
	for _, name := range []ID{"nonsense", "", "response", CheckResponse.On("kettle")} {
		if _, err := Select(tests, Technician, name); err == nil {
			t.Errorf("%q is known", name)
		}
	}
	if _, err := Select(tests, PowerOn, CheckKeys); err == nil {
		t.Error("the power-on level asks for keys")
	}
	some, err := Select(tests, Technician, CheckNoise.On(PartHandset))
	if err != nil || fmt.Sprint(ids(some)) != "[bus handset.level handset.noise]" {
		t.Errorf("%v, %v", ids(some), err)
	}
}

func ids(tests []Test) (all []ID) {
	for _, t := range tests {
		all = append(all, t.ID)
	}
	return all
}

func TestAll22KindsAreInTheTreeAndHaveWords(t *testing.T) {
	tests := Standard()
	var kinds []ID
	for _, test := range tests {
		kinds = append(kinds, test.ID.Kind())
		if title := Title(test.ID); title.German == string(test.ID) || title.English == "" || utf8.RuneCountInString(title.German) > 32 {
			t.Errorf("%s is called %q", test.ID, title)
		}
		if test.Part.Advice().German == "" || test.Part.Code() == CodeOtherPart {
			t.Errorf("%s: nothing is said of part %q", test.ID, test.Part)
		}
	}
	slices.Sort(kinds)
	kinds = slices.Compact(kinds)
	if all := slices.Sorted(slices.Values(Kinds())); len(kinds) != 22 || !slices.Equal(kinds, all) {
		t.Errorf("%d kinds: %v", len(kinds), kinds)
	}
	if _, err := Begin(Plan{Level: Factory, Tests: tests}, noon); err != nil {
		t.Error(err)
	}
	for name := range StandardLimits() {
		kind, _, _ := strings.Cut(name, ".")
		if !slices.Contains(kinds, ID(kind)) {
			t.Errorf("limit %q is of no test", name)
		}
	}
}

func TestTheGuidedLevelsTakeAsLongAsPromised(t *testing.T) {
	for level, most := range map[Level]time.Duration{Technician: 90 * time.Second, Factory: 120 * time.Second} {
		sum := time.Duration(0)
		for _, test := range planOf(t, level, nil).Tests {
			sum += test.Takes
		}
		if sum > most || sum < most*3/4 {
			t.Errorf("%v takes %v, promised are %v", level, sum, most)
		}
	}
}

func TestABrokenParentExplainsItsChildren(t *testing.T) {
	r := play(t, planOf(t, Technician, everything()), map[ID]Result{CheckBus: FailBecause("SDA is held low")})
	for _, id := range []ID{CheckIdentity, CheckKeys, CheckBounce, CheckClock, "handset.level", "handset.response", "handset.noise"} {
		if f := r.find(id); f.Outcome != NotDone || f.Reason != (Reason{CauseParent, string(CheckBus)}) {
			t.Errorf("%s: %v, %v", id, f.Outcome, f.Reason)
		}
	}
	for _, id := range []ID{CheckStorage, "speaker.level", CheckNetwork} {
		if f := r.find(id); f.Outcome != Pass {
			t.Errorf("%s hangs on no bus: %v", id, f.Outcome)
		}
	}
	if r.Verdict() != Failed || r.Broken() != PartBus || r.Code() != 10 {
		t.Errorf("%v, %v, %d", r.Verdict(), r.Broken(), r.Code())
	}
	if got := r.find(CheckClock).Reason.In(German); got != "wegen: I2C-Bus" {
		t.Errorf("%q", got)
	}
}

func TestParentsRunBeforeTheirChildrenWhateverTheList(t *testing.T) {
	tests := planOf(t, Factory, nil).Tests
	slices.Reverse(tests)
	r := play(t, Plan{Level: Factory, Tests: tests, Hardware: everything()}, nil)
	place := map[ID]int{}
	for i, f := range r.Findings {
		place[f.Test.ID] = i
		if parent, ok := place[f.Test.Parent]; f.Test.Parent != "" && (!ok || parent > i) {
			t.Errorf("%s runs before %s", f.Test.ID, f.Test.Parent)
		}
	}
	if len(r.Findings) != len(tests) {
		t.Errorf("%d findings of %d tests", len(r.Findings), len(tests))
	}
}

func TestAMissingPartIsNeverAPass(t *testing.T) {
	hardware := everything()
	hardware[PartClock], hardware[PartHeadset], hardware[PartIdentity] = NotFitted, NotFitted, Lost
	delete(hardware, PartWatchdog) // what the board does not speak of is not there
	r := play(t, planOf(t, Technician, hardware), nil)
	for id, want := range map[ID]Outcome{CheckClock: NotApplicable, "headset.level": NotApplicable, "headset.noise": NotApplicable,
		CheckWatchdog: NotApplicable, CheckIdentity: Fail} {
		if f := r.find(id); f.Outcome != want || f.Reason.Key == "" {
			t.Errorf("%s: %v because %v, want %v", id, f.Outcome, f.Reason, want)
		}
	}
	if r.Verdict() != Failed || r.Broken() != PartIdentity {
		t.Errorf("%v %v", r.Verdict(), r.Broken())
	}
	none := play(t, planOf(t, Technician, nil), nil)
	if none.Verdict() != Untested || none.Verdict().Exit() != ExitNothing || none.Code() != CodeIncomplete {
		t.Errorf("a phone without parts: %v, exit %d, code %d", none.Verdict(), none.Verdict().Exit(), none.Code())
	}
}

func TestWhatATestNeedsBesidesItsPartCountsToo(t *testing.T) {
	plan := Plan{Level: Factory, Tests: []Test{{ID: "a", Part: PartLamps, Needs: []Part{PartBus}, Timeout: time.Second}}}
	for presence, want := range map[Presence]Outcome{NotFitted: NotApplicable, Lost: NotDone, Fitted: Pass} {
		plan.Hardware = map[Part]Presence{PartLamps: Fitted, PartBus: presence}
		if f := play(t, plan, nil).find("a"); f.Outcome != want {
			t.Errorf("%d: %v, want %v", presence, f.Outcome, want)
		}
	}
}

func TestNoTestPassesWithoutAMeasurement(t *testing.T) {
	limits := StandardLimits()
	bad := limits.Measure(CheckNoise, "snr", 10)
	for name, c := range map[string]struct {
		given Result
		want  Outcome
	}{
		"the zero value":                  {Result{}, NotDone},
		"a pass without values":           {Result{Outcome: Pass}, NotDone},
		"marginal without values":         {Result{Outcome: Marginal}, NotDone},
		"no outcome of ours":              {Result{Outcome: 99}, Fail},
		"no hardware, and no reason":      {Result{Outcome: NotApplicable}, NotDone},
		"a pass with a value that fails":  {Result{Outcome: Pass, Measurements: []Measurement{bad}}, Fail},
		"not done with one that fails":    {Result{Measurements: []Measurement{bad}}, Fail},
		"NA with one that fails":          {Result{Outcome: NotApplicable, Reason: Reason{CauseNotFitted, "x"}, Measurements: []Measurement{bad}}, Fail},
		"a value said to pass by itself":  {Result{Outcome: Pass, Measurements: []Measurement{{Name: "x", Value: 3, Outcome: Pass}}}, Fail},
		"a value without a limit":         {Judge(limits.Measure(CheckNoise, "loudness", 1)), Fail},
		"no number":                       {Judge(limits.Measure(CheckNoise, "snr", math.NaN())), Fail},
		"infinite":                        {Judge(limits.Measure(CheckNoise, "snr", math.Inf(1))), Fail},
		"words that nobody wanted":        {Judge(Words("x", "yes", "")), Fail},
		"no words at all":                 {Judge(Words("x", "", "")), Fail},
		"a failure of a device":           {FailBecause("EIO"), Fail},
		"no hardware, found by the test":  {Result{Outcome: NotApplicable, Reason: Reason{CauseNotFitted, "PoE"}}, NotApplicable},
		"one near its limit":              {Judge(limits.Measure(CheckNoise, "snr", 42), Words("x", "yes", "yes")), Marginal},
		"a pass that has one near it":     {Result{Outcome: Pass, Measurements: []Measurement{limits.Measure(CheckNoise, "snr", 42)}}, Marginal},
		"a good one":                      {Judge(limits.Measure(CheckNoise, "snr", 55)), Pass},
		"not done although it has values": {Result{Reason: Reason{CauseUnanswered, "x"}, Measurements: []Measurement{limits.Measure(CheckNoise, "snr", 55)}}, NotDone},
	} {
		r := play(t, Plan{Level: Factory, Tests: []Test{{ID: "a", Part: PartBus, Timeout: 1}}, Hardware: everything()}, map[ID]Result{"a": c.given})
		if got := r.find("a").Outcome; got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		if f := r.find("a"); c.given.Outcome == Pass && c.want == NotDone && f.Reason.Key != CauseUnmeasured {
			t.Errorf("%s: nothing says why: %v", name, f.Reason)
		}
	}
}

func TestTheVerdictAndItsExitCode(t *testing.T) {
	why := func(key string) Result { return Result{Reason: Reason{key, "x"}} }
	marginal := Judge(StandardLimits().Measure(CheckNoise, "snr", 41))
	na := Result{Outcome: NotApplicable, Reason: Reason{CauseNotFitted, "x"}}
	for _, c := range []struct {
		name    string
		results []Result
		want    Verdict
		exit    Exit
	}{
		{"nothing at all", nil, Untested, ExitNothing},
		{"only what is not there", []Result{na, na}, Untested, ExitNothing},
		{"a failure", []Result{good(), FailBecause("x")}, Failed, ExitFailed},
		{"a failure, and then somebody had enough", []Result{FailBecause("x"), why(CauseStopped)}, Failed, ExitFailed},
		{"somebody had enough", []Result{good(), why(CauseStopped)}, Aborted, ExitAborted},
		{"unanswered", []Result{good(), marginal, why(CauseUnanswered)}, Aborted, ExitAborted},
		{"late", []Result{good(), why(CauseLate)}, Late, ExitAborted},
		{"a program without the test", []Result{good(), why(CauseNoTest)}, Unable, ExitRefused},
		{"nothing measured", []Result{good(), why(CauseUnmeasured)}, Unable, ExitRefused},
		{"close to the limit", []Result{good(), marginal, na}, Warned, ExitWarned},
		{"good", []Result{good(), na}, Passed, ExitPassed},
	} {
		var r Report
		for _, result := range c.results {
			r.Findings = append(r.Findings, Finding{Test: Test{Part: PartHook}, Result: result})
		}
		if got := r.Verdict(); got != c.want || got.Exit() != c.exit {
			t.Errorf("%s: %v, exit %d; want %v, %d", c.name, got, got.Exit(), c.want, c.exit)
		}
		if (r.Code() == CodePassed) != (c.want == Passed || c.want == Warned) {
			t.Errorf("%s: the lamp says %d", c.name, r.Code())
		}
	}
	for v := range verdictEnd {
		if back, ok := ParseVerdict(v.String()); !ok || back != v || v.Title().German == "?" {
			t.Errorf("%v is not read back", v)
		}
	}
	if _, ok := ParseVerdict("GOOD"); ok {
		t.Error("GOOD is a verdict")
	}
}

func TestALampCountsThePart(t *testing.T) {
	codes := map[int]Part{CodePassed: "", CodeOtherPart: "", CodeIncomplete: ""}
	for part := range parts {
		if other, taken := codes[part.Code()]; taken {
			t.Errorf("%s and %s blink alike", part, other)
		}
		codes[part.Code()] = part
	}
	if Part("kettle").Code() != CodeOtherPart {
		t.Error("an unknown part looks like another")
	}
	for code := range codes {
		rhythm := Rhythm(code)
		long, short := 0, 0
		for i, d := range rhythm {
			switch {
			case i%2 == 0 && d > time.Second:
				long++
			case i%2 == 0:
				short++
			}
			if i%2 == 1 && (d > time.Second) != (i == len(rhythm)-1) {
				t.Errorf("%d: the pause is not at the end: %v", code, rhythm)
			}
		}
		if 10*long+short != code || len(rhythm)%2 != 0 {
			t.Errorf("%d blinks %d long and %d short", code, long, short)
		}
	}
	if Rhythm(-1) != nil || Rhythm(1000) != nil {
		t.Error("no number blinks")
	}
}

func TestAHangingTestFailsAndTheTimeOfTheRunEndsIt(t *testing.T) {
	session, err := Begin(planOf(t, PowerOn, everything()), noon)
	if err != nil {
		t.Fatal(err)
	}
	now := noon
	for { // every device hangs
		test, ok := session.Next(now)
		if !ok {
			break
		}
		if d := session.Deadline(); d.After(noon.Add(3*time.Second)) || d.After(now.Add(800*time.Millisecond)) || !d.After(now) {
			t.Fatalf("%s may take until %v", test.ID, d.Sub(noon))
		}
		now = session.Deadline()
		session.Expire(now)
	}
	r := session.Report()
	if r.End.Sub(noon) > 3*time.Second {
		t.Errorf("the power-on test took %v", r.End.Sub(noon))
	}
	if f := r.find(CheckBus); f.Outcome != Fail || f.Reason.Key != CauseTimeout || f.End.Sub(f.Start) != 800*time.Millisecond {
		t.Errorf("%+v", f)
	}
	if f := r.find(CheckEthernet); f.Outcome != NotDone || f.Reason.Key != CauseLate {
		t.Errorf("%+v", f)
	}
}

func TestATestThatIsLateKeepsWhatItMeasured(t *testing.T) {
	session, _ := Begin(planOf(t, Technician, everything()), noon)
	session.Next(noon)
	session.Expire(noon.Add(time.Minute), StandardLimits().Measure(CheckBus, "nacks", 3))
	f := session.Report().Findings[0]
	if f.Outcome != Fail || f.Reason.Key != CauseTimeout || len(f.Measurements) != 1 || f.Measurements[0].Outcome != Fail {
		t.Errorf("%+v", f)
	}
}

func TestWhoeverStopsIsNamedAndTheRestIsNotDone(t *testing.T) {
	session, _ := Begin(planOf(t, Technician, everything()), noon)
	session.Next(noon)
	session.Finish(noon, good())
	session.Next(noon)
	session.Stop(noon, "a call came in")
	session.Stop(noon, "again")
	if _, ok := session.Next(noon); ok || !session.Deadline().IsZero() {
		t.Error("it goes on")
	}
	r := session.Report()
	for i, f := range r.Findings {
		if i > 0 && (f.Outcome != NotDone || f.Reason.Key != CauseStopped && f.Reason.Key != CauseParent || f.Reason.Detail == "again") {
			t.Errorf("%s: %v %v", f.Test.ID, f.Outcome, f.Reason)
		}
	}
	if len(r.Findings) != len(planOf(t, Technician, nil).Tests) || r.Verdict() != Aborted {
		t.Errorf("%d findings, %v", len(r.Findings), r.Verdict())
	}
}

func TestProgressCountsWhatThisPhoneHas(t *testing.T) {
	hardware := everything()
	hardware[PartHeadset] = NotFitted
	session, _ := Begin(planOf(t, Technician, hardware), noon)
	if session.Progress(noon).Of != 0 {
		t.Error("progress before the first test")
	}
	last, left := 0, time.Hour
	for {
		test, ok := session.Next(noon)
		if !ok {
			break
		}
		p := session.Progress(noon.Add(test.Takes / 2))
		if p.Number != last+1 || p.Of != 27 || p.Left >= left || p.Test.ID != test.ID || p.Failed != min(last, 1) {
			t.Fatalf("%s: %d of %d, %v left after %v, %d failed", test.ID, p.Number, p.Of, p.Left, left, p.Failed)
		}
		last, left = p.Number, p.Left
		result := good()
		if last == 1 {
			// It fails, and nothing hangs on it.
			session.tests = slices.Clone(session.tests)
			for i := range session.tests {
				session.tests[i].Parent = ""
			}
			result = FailBecause("x")
		}
		session.Finish(noon, result)
	}
	if last != 27 || left > time.Second {
		t.Errorf("%d tests, %v left", last, left)
	}
}

func TestLimitsThatSayNothingAreRefused(t *testing.T) {
	all := StandardLimits()
	inf := math.Inf(1)
	for name, limit := range map[string]Limit{
		"allows everything":      {Low: -inf, WarnLow: -inf, WarnHigh: inf, High: inf},
		"no number":              {Low: math.NaN(), High: 1},
		"upside down":            {Low: 2, WarnLow: 2, WarnHigh: 1, High: 1},
		"warns outside":          {Low: 0, WarnLow: 0, WarnHigh: 3, High: 2},
		"warns below":            {Low: 0, WarnLow: -1, WarnHigh: 2, High: 2},
		"nothing is low enough":  {Low: inf, WarnLow: inf, WarnHigh: inf, High: inf},
		"nothing is high enough": {Low: -inf, WarnLow: -inf, WarnHigh: -inf, High: -inf},
	} {
		if _, err := all.With(map[string]Limit{"noise.snr": limit}); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := all.With(map[string]Limit{"noise.loudness": atLeast(1, 2)}); err == nil {
		t.Error("a limit of nothing is taken")
	}
	for name, limit := range all {
		if err := limit.check(); err != nil || limit.Title.German == "" || limit.Title.English == "" {
			t.Errorf("%s: %v, %v", name, err, limit.Title)
		}
	}
	golden, err := all.With(map[string]Limit{"noise.snr": atLeast(50, 52)})
	if err != nil || golden.Measure(CheckNoise, "snr", 45).Outcome != Fail || all.Measure(CheckNoise, "snr", 45).Outcome != Pass || golden["noise.snr"].Unit != "dB" {
		t.Errorf("golden units: %v", err)
	}
	if !maps.Equal(all, StandardLimits()) {
		t.Error("the standard changed")
	}
}

func TestValuesAtTheLimitPassAndWarn(t *testing.T) {
	l := Limit{Low: 0, WarnLow: 2, WarnHigh: 8, High: 10}
	for v, want := range map[float64]Outcome{-0.1: Fail, 10.1: Fail, 0: Marginal, 2: Marginal, 8: Marginal, 10: Marginal, 2.1: Pass, 7.9: Pass} {
		if got := l.Judge(v); got != want {
			t.Errorf("%v: %v, want %v", v, got, want)
		}
	}
	if exactly(0).Judge(0) != Pass || exactly(0).Judge(1) != Fail || (Limit{}).Judge(1) != Fail {
		t.Error("exact limits")
	}
}

func TestWordsAreInBothLanguages(t *testing.T) {
	if got := SayHookCycle.In(German, "3", "10"); got != "Hörer abheben und auflegen: 3 von 10." {
		t.Error(got)
	}
	if got := SayPressKey.In(English, "%s%d"); got != "Press key: %d" {
		t.Error(got)
	}
	if got := SayCouple.In(English); got != "?: hold earpiece and microphone together." {
		t.Error(got)
	}
	if got := Phrase("x").In(German, "y"); got != "x y" {
		t.Error(got)
	}
	for phrase, text := range phrases {
		if strings.Count(text.German, "%s") != strings.Count(text.English, "%s") || text.German == "" {
			t.Errorf("%s: %v", phrase, text)
		}
	}
	if got := (Reason{CauseNamed, "missing: 3 5; extra: #"}).In(German); got != "fehlt: 3 5; unverlangt: #" {
		t.Error(got)
	}
	if got := (Reason{CauseOther, "100 %d %s"}).In(German); got != "100 %d %s" {
		t.Error(got)
	}
	if got := (Reason{CauseStopped, ""}).In(German); got != "abgebrochen" {
		t.Error(got)
	}
	if got := (Reason{CauseNamed, "missing: volume-up 3; extra: ghost"}).In(German); got != "fehlt: lauter 3; unverlangt: Geistertaste" {
		t.Errorf("%q", got)
	}
	if Yes.In(German) != "Ja" || Choice("x").In(German) != "x" || Word("pattern 3", German) != "Muster 3" || Word("current line1", English) != "current line 1" {
		t.Error("words")
	}
	for l := range LevelCount {
		if ParseLevel(l.String()) != l {
			t.Error(l)
		}
	}
	for o := range OutcomeCount {
		if ParseOutcome(o.String()) != o {
			t.Error(o)
		}
	}
	if ParseLevel("x") != LevelCount || ParseOutcome("x") != OutcomeCount {
		t.Error("unknown words are known")
	}
}
