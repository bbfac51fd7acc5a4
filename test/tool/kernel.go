package tool

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// A Kernel is Debian's own Linux for arm64 in the cache: what test/board boots.
type Kernel struct{ dir string }

// kernelDir is the finished folder; the number changes when what is installed in it changes.
const kernelDir = "linux-arm64-1"

// kernelModules are those that test/board may ask for. What they depend on is found in them.
var kernelModules = []string{
	"virtio_pci", "virtio_net", "virtio_console", // the machine
	"xhci-pci", "usbhid", "hid-generic", "hid-jabra", "hid-plantronics", "snd-usb-audio", // headsets; the two makers' keys need their drivers
	"i2c-dev", "i2c-tiny-usb", "ftdi_sio", // what hangs on the board's I2C bus, and the service line
	"softdog", "leds-gpio", "ledtrig-timer", "virtio-gpu",
}

// FindKernel is the kernel in the cache.
func FindKernel() (Kernel, error) {
	cache, err := CacheDir()
	if err != nil {
		return Kernel{}, err
	}
	kernel := Kernel{filepath.Join(cache, kernelDir)}
	if _, err := os.Stat(kernel.Image()); err != nil {
		return Kernel{}, errors.New("the kernel for arm64 boards is not installed in the cache")
	}
	return kernel, nil
}

// Image is the path of the kernel itself.
func (k Kernel) Image() string { return filepath.Join(k.dir, "vmlinuz") }

// Dir is the folder it lies in.
func (k Kernel) Dir() string { return k.dir }

// Modules are the files of the wanted modules and of all that they depend on, in the order to load them. A module that is part of
// the kernel has no file.
func (k Kernel) Modules(wanted ...string) ([]string, error) {
	return modules(filepath.Join(k.dir, "modules"), wanted)
}

// modules looks for modules anywhere below a folder.
func modules(dir string, wanted []string) ([]string, error) {
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if name, _, ok := strings.Cut(filepath.Base(path), ".ko"); ok && err == nil && !entry.IsDir() {
			files[underscored(name)] = path
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("tool: modules: %w", err)
	}
	return order(files, wanted, depends)
}

// order puts what a module depends on before it. A module without a file is part of the kernel.
func order(files map[string]string, wanted []string, depends func(file string) ([]string, error)) (ordered []string, err error) {
	begun := map[string]bool{}
	var add func(names []string) error
	add = func(names []string) error {
		for _, name := range names {
			file, ok := files[underscored(name)]
			if !ok || begun[file] {
				continue
			}
			begun[file] = true
			before, err := depends(file)
			if err == nil {
				err = add(before)
			}
			if err != nil {
				return err
			}
			ordered = append(ordered, file)
		}
		return nil
	}
	err = add(wanted)
	return ordered, err
}

// underscored is a module's name as the kernel says it: its file may have either.
func underscored(name string) string { return strings.ReplaceAll(name, "-", "_") }

// depends reads which modules one needs before it: "depends=a,b" in its section .modinfo, as modpost writes it.
func depends(file string) ([]string, error) {
	data, err := contents(file)
	if err != nil {
		return nil, err
	}
	module, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("tool: module %s: %w", file, err)
	}
	section := module.Section(".modinfo")
	if section == nil {
		return nil, fmt.Errorf("tool: module %s has no .modinfo", file)
	}
	info, err := section.Data()
	if err != nil {
		return nil, fmt.Errorf("tool: module %s: %w", file, err)
	}
	for field := range strings.SplitSeq(string(info), "\x00") {
		if names, ok := strings.CutPrefix(field, "depends="); ok && names != "" {
			return strings.Split(names, ","), nil
		}
	}
	return nil, nil
}

// contents reads a module; Debian has packed them since 13.
func contents(file string) ([]byte, error) {
	if filepath.Ext(file) != ".xz" {
		return os.ReadFile(file)
	}
	data, err := exec.Command("xz", "--decompress", "--stdout", file).Output()
	if err != nil {
		return nil, fmt.Errorf("tool: xz of %s: %w", file, err)
	}
	return data, nil
}

// kernelTimeout bounds the installation: it takes ten seconds and 70 MB.
const kernelTimeout = 10 * time.Minute

// InstallKernel puts Debian's kernel for arm64 into the cache, from the mirror of the system's own apt configuration. The system's
// packages are left alone: apt gets a state of its own for that architecture. What happens is written to log.
func InstallKernel(ctx context.Context, log io.Writer) (Kernel, error) {
	ctx, cancel := context.WithTimeout(ctx, kernelTimeout)
	defer cancel()
	return installInCache(ctx, log, FindKernel, fetchKernel)
}

// fetchKernel makes the folder beside its place and moves it there whole.
func fetchKernel(ctx context.Context, cache string, mirror Mirror, log io.Writer) (Kernel, error) {
	half, err := os.MkdirTemp(cache, "half-")
	if err != nil {
		return Kernel{}, fmt.Errorf("tool: %w", err)
	}
	defer os.RemoveAll(half)
	fmt.Fprintf(log, "fetching Debian's kernel for arm64, 60 MB, into %s\n", cache)
	environment, err := foreignAPT(half, mirror)
	if err != nil {
		return Kernel{}, err
	}
	if err := run(ctx, log, environment, "apt-get", "-qq", "-o", "Acquire::Retries=3", "update"); err != nil {
		return Kernel{}, fmt.Errorf("tool: the lists for arm64: %w", err)
	}
	name, err := kernelPackage(ctx, environment)
	if err != nil {
		return Kernel{}, err
	}
	// apt-get download writes into the current folder.
	if err := run(ctx, log, environment, "sh", "-c", `cd "$1" && apt-get -qq -o Acquire::Retries=3 download "$2" && dpkg-deb -x "$2"_*.deb root`, "sh", half, name); err != nil {
		return Kernel{}, fmt.Errorf("tool: package %s: %w", name, err)
	}
	made := filepath.Join(half, "made")
	if err := gather(filepath.Join(half, "root"), made); err != nil {
		return Kernel{}, err
	}
	kernel := Kernel{filepath.Join(cache, kernelDir)}
	if err := errors.Join(os.RemoveAll(kernel.dir), os.Rename(made, kernel.dir)); err != nil {
		return Kernel{}, fmt.Errorf("tool: %w", err)
	}
	return kernel, nil
}

// foreignAPT makes a state for apt that knows arm64 alone. Proxies and keys stay the system's: its configuration is read after this one.
func foreignAPT(dir string, mirror Mirror) (environment []string, err error) {
	source := fmt.Sprintf("deb [arch=arm64] %s %s main\n", mirror.URI, codename())
	if mirror.Keyring != "" {
		source = strings.Replace(source, "]", " signed-by="+mirror.Keyring+"]", 1)
	}
	configuration := fmt.Sprintf(`Dir::State "%[1]s/state";
Dir::State::status "%[1]s/state/status";
Dir::Cache "%[1]s/cache";
Dir::Etc::SourceList "%[1]s/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
`, dir)
	path := filepath.Join(dir, "apt.conf")
	err = errors.Join(
		os.MkdirAll(filepath.Join(dir, "state/lists/partial"), 0o755), os.MkdirAll(filepath.Join(dir, "cache/archives/partial"), 0o755),
		os.WriteFile(filepath.Join(dir, "state/status"), nil, 0o644),
		os.WriteFile(filepath.Join(dir, "sources.list"), []byte(source), 0o644),
		os.WriteFile(path, []byte(configuration), 0o644))
	if err != nil {
		return nil, fmt.Errorf("tool: %w", err)
	}
	return []string{"APT_CONFIG=" + path, "DEBIAN_FRONTEND=noninteractive"}, nil
}

// codename is that of the running Debian, whose keyring knows it for sure: bookworm. Sid has none.
func codename() string {
	release, _ := os.ReadFile("/etc/os-release")
	for line := range strings.Lines(string(release)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "VERSION_CODENAME="); ok && name != "" {
			return name
		}
	}
	return "stable"
}

// kernelDependency is the line with the real package in what apt-cache says of linux-image-arm64.
var kernelDependency = regexp.MustCompile(`(?m)^ *\|?Depends: (linux-image-[0-9][^ \n]*-arm64)$`)

// kernelPackage is the package that linux-image-arm64 stands for today.
func kernelPackage(ctx context.Context, environment []string) (string, error) {
	command := exec.CommandContext(ctx, "apt-cache", "depends", "linux-image-arm64")
	command.Env = append(os.Environ(), environment...)
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("tool: apt-cache depends linux-image-arm64: %w", err)
	}
	found := kernelDependency.FindStringSubmatch(string(out))
	if found == nil {
		return "", fmt.Errorf("tool: linux-image-arm64 names no kernel: %q", out)
	}
	return found[1], nil
}

// gather takes from an unpacked package what a board's test needs of its 350 MB.
func gather(root, made string) error {
	images, err := filepath.Glob(filepath.Join(root, "boot/vmlinuz-*"))
	if err != nil || len(images) != 1 {
		return fmt.Errorf("tool: the kernel's package has %d kernels, want one", len(images))
	}
	below := filepath.Join(root, "lib/modules")
	if _, err := os.Stat(below); err != nil {
		below = filepath.Join(root, "usr/lib/modules") // where Debian 13 has them
	}
	files, err := modules(below, kernelModules)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(made, "modules"), 0o755); err != nil {
		return fmt.Errorf("tool: %w", err)
	}
	for _, file := range files {
		data, err := contents(file)
		if err != nil {
			return err
		}
		name, _, _ := strings.Cut(filepath.Base(file), ".ko")
		if err := os.WriteFile(filepath.Join(made, "modules", name+".ko"), data, 0o644); err != nil {
			return fmt.Errorf("tool: %w", err)
		}
	}
	version := strings.TrimPrefix(filepath.Base(images[0]), "vmlinuz-")
	err = errors.Join(os.WriteFile(filepath.Join(made, "version"), []byte(version+"\n"), 0o644), os.Rename(images[0], filepath.Join(made, "vmlinuz")))
	if err != nil {
		return fmt.Errorf("tool: %w", err)
	}
	return nil
}
