#!/bin/bash
# Builds the virtual Pi's kernel: user-mode linux from Debian's linux-source, with rig.c in it.
# Usage: build.sh FOLDER   makes FOLDER/linux, some minutes; needs the packages `./dev` installs.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd) OUT=$1
SOURCE=/usr/src/linux-source-6.1.tar.xz # Debian 12's
mkdir -p "$OUT"
WORK=$(mktemp -d "$OUT/build.XXXX")
trap 'rm -rf "$WORK"' EXIT
cd "$WORK"

# Kconfig wants every Kconfig file, but no source of what cannot be in a user-mode kernel.
tar xf "$SOURCE" --strip-components=1 --exclude='*/Documentation/*/*' --exclude='*/tools/testing' \
    --exclude='*/drivers/gpu/*.[ch]' --exclude='*/drivers/net/*/*.[ch]' --exclude='*/sound/*.[ch]' \
    --exclude='*/drivers/media/*.[ch]' --exclude='*/drivers/staging/*.[ch]' --exclude='*.dts*'

# The lines' interrupts need numbers beyond those that user-mode linux has for signals.
sed -i 's/^#define NR_IRQS\t\t\tUM_LAST_SIGNAL_IRQ$/#define NR_IRQS\t\t\t(UM_LAST_SIGNAL_IRQ + 64)/' \
    arch/um/include/asm/irq.h
grep -q 'UM_LAST_SIGNAL_IRQ + 64' arch/um/include/asm/irq.h
# gpiozero asks which board this is: a Pi 4B 4GB 1.5.
sed -i 's/^\tseq_printf(m, "model name\\t: UML\\n");/&\n\tseq_printf(m, "Revision\\t: c03115\\n");/' \
    arch/um/kernel/um_arch.c
grep -q c03115 arch/um/kernel/um_arch.c
# Room for all registers of a processor with AMX (11,008 bytes); without it the first process dies.
# kernel.config has the stacks that this takes.
sed -i 's/DEFINE_LONGS(HOST_FP_SIZE, 2696)/DEFINE_LONGS(HOST_FP_SIZE, 11264)/' arch/x86/um/user-offsets.c
grep -q 'HOST_FP_SIZE, 11264' arch/x86/um/user-offsets.c
# The card is read and written at once, not by a thread of the host's: while that was slow, nothing
# had anything to do, and hours passed.
UBD=arch/um/drivers/ubd_kern.c
sed -i -e 's/^static int ubd_submit_request(/static void do_io(struct io_thread_req *, struct io_desc *);\n&/' \
    -e '/^\tret = os_write_file(thread_fd, &io_req,/,/^\treturn ret;/c\
\tfor (ret = 0; !io_req->error \&\& ret < segs; ret++)\
\t\tdo_io(io_req, \&io_req->io_desc[ret]);\
\tubd_end_request(io_req);\
\treturn 0;' $UBD
[ "$(grep -c 'do_io(io_req\|^static void do_io(struct io_thread_req \*, ' $UBD)" = 2 ]
cp "$HERE/rig.c" drivers/gpio/rig.c
# lines' interrupts through gpiolib need these two, which no option can ask for by itself
printf 'obj-y += rig.o\n' >>drivers/gpio/Makefile
printf 'config RIG\n\tdef_bool y\n\tselect GPIOLIB_IRQCHIP\n' >drivers/gpio/Kconfig.rig
sed -i '0,/^if GPIOLIB$/s//if GPIOLIB\nsource "drivers\/gpio\/Kconfig.rig"/' drivers/gpio/Kconfig

make -s ARCH=um KCONFIG_ALLCONFIG="$HERE/kernel.config" allnoconfig >config.log 2>&1
for wanted in $(grep '^CONFIG' "$HERE/kernel.config"); do
    grep -qx "$wanted" .config || { echo "the kernel's configuration lost $wanted" >&2; exit 1; }
done
make -s ARCH=um -j"$(nproc)" linux >build.log 2>&1 || { tail -20 build.log >&2; exit 1; }
strip -s -o "$OUT/linux.new" linux
mv "$OUT/linux.new" "$OUT/linux"
