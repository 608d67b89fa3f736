// SPDX-License-Identifier: GPL-2.0
/*
 * The electric side of the virtual Pi: an I2C bus for each number asked for and a GPIO chip, whose
 * other ends are one program that holds /dev/rig and plays what is soldered to them.
 *
 *   to the program, by read(), one message at a time:
 *     transfers on a bus   struct rig_head { kind RIG_I2C, bus, count } and for each of its parts
 *                          struct rig_part { addr, flags, len } and, of those written, the bytes
 *     an output's level    struct rig_head { kind RIG_GPIO, line, level, time }
 *   from it, by write():
 *     answer to transfers  struct rig_head { kind RIG_I2C, bus, count or -errno, serial }, then the
 *                          bytes of every part that is read, one after the other
 *     an input's edge      struct rig_head { kind RIG_GPIO, line, level, time }, which the line
 *                          takes at that time (CLOCK_MONOTONIC, ns), at once when it has passed
 *
 * Transfers that nobody answers end with ETIMEDOUT after the adapter's time-out, as on a bus whose
 * clock is held low. Edges raise real interrupts: gpiolib takes their times, not this file.
 */
#include <linux/delay.h>
#include <linux/gpio/driver.h>
#include <linux/hrtimer.h>
#include <linux/i2c.h>
#include <linux/init.h>
#include <linux/irq.h>
#include <linux/miscdevice.h>
#include <linux/platform_device.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#define LINES 28 /* of a Pi's header */
#define BUSES 2
#define CLOCK_HZ 400000 /* of each bus */
#define QUEUE 4096 /* levels not yet read */
#define EDGES 512 /* edges on their way, of all lines */
#define BYTES 8192 /* of one message at most */

enum { RIG_I2C = 1, RIG_GPIO = 2 };

struct rig_head {
	u32 kind;
	u32 unit; /* bus or line */
	s32 value; /* parts, -errno, or level */
	u32 serial;
	u64 time; /* ns */
};

struct rig_part {
	u16 addr, flags, len, pad;
};

struct rig_bus {
	struct i2c_adapter adapter;
	struct i2c_msg *parts; /* under way */
	int count, result;
	u32 serial;
	bool told, done;
	wait_queue_head_t answered;
};

static const int numbers[BUSES] = { 1, 3 };
static struct rig_bus buses[BUSES];
static struct gpio_chip chip;
static unsigned long levels, outputs;
static unsigned long masked = ~0UL, rising, falling;
static struct rig_head queue[QUEUE];
static unsigned int queue_in, queue_out;
static struct rig_head edges[EDGES];
static int edge_count;
static struct hrtimer timer;
static bool held; /* a program plays */
static DEFINE_SPINLOCK(lock);
static DECLARE_WAIT_QUEUE_HEAD(news);

/* the bus */

/* us that it takes: each byte and each address are nine bits, then start and stop */
static unsigned long rig_duration(struct i2c_msg *parts, int count)
{
	unsigned long bits = 2;
	int k;

	for (k = 0; k < count; k++)
		bits += 9 * (1 + parts[k].len) + 1;
	return bits * 1000000 / CLOCK_HZ;
}

static int rig_xfer(struct i2c_adapter *adapter, struct i2c_msg *parts, int count)
{
	struct rig_bus *bus = i2c_get_adapdata(adapter);
	unsigned long flags;
	int result;

	spin_lock_irqsave(&lock, flags);
	bus->parts = parts;
	bus->count = count;
	bus->serial++;
	bus->told = bus->done = false;
	spin_unlock_irqrestore(&lock, flags);
	wake_up(&news);
	if (wait_event_timeout(bus->answered, bus->done, adapter->timeout))
		fsleep(rig_duration(parts, count));
	spin_lock_irqsave(&lock, flags);
	result = bus->done ? bus->result : -ETIMEDOUT;
	bus->parts = NULL;
	spin_unlock_irqrestore(&lock, flags);
	return result;
}

static u32 rig_functionality(struct i2c_adapter *adapter)
{
	return I2C_FUNC_I2C | I2C_FUNC_SMBUS_EMUL;
}

static const struct i2c_algorithm algorithm = {
	.master_xfer = rig_xfer,
	.functionality = rig_functionality,
};

/* the pins */

static void rig_set(struct gpio_chip *gc, unsigned int line, int level)
{
	unsigned long flags;
	bool changed;

	spin_lock_irqsave(&lock, flags);
	changed = !!(levels & BIT(line)) != !!level;
	__assign_bit(line, &levels, level);
	if (changed && (outputs & BIT(line)) && held && queue_in - queue_out < QUEUE)
		queue[queue_in++ % QUEUE] = (struct rig_head){ RIG_GPIO, line, !!level, 0,
							       ktime_get_ns() };
	spin_unlock_irqrestore(&lock, flags);
	if (changed)
		wake_up(&news);
}

static int rig_get(struct gpio_chip *gc, unsigned int line)
{
	return !!(levels & BIT(line));
}

static int rig_output(struct gpio_chip *gc, unsigned int line, int level)
{
	outputs |= BIT(line);
	rig_set(gc, line, level);
	return 0;
}

static int rig_input(struct gpio_chip *gc, unsigned int line)
{
	if (outputs & BIT(line))
		rig_set(gc, line, 0); /* nothing drives it any more: every line has its pull-down */
	outputs &= ~BIT(line);
	return 0;
}

static int rig_direction(struct gpio_chip *gc, unsigned int line)
{
	return outputs & BIT(line) ? GPIO_LINE_DIRECTION_OUT : GPIO_LINE_DIRECTION_IN;
}

static int rig_config(struct gpio_chip *gc, unsigned int line, unsigned long config)
{
	return 0; /* pulls: the program says what level a line has */
}

static void rig_mask(struct irq_data *data)
{
	masked |= BIT(irqd_to_hwirq(data));
	gpiochip_disable_irq(&chip, irqd_to_hwirq(data));
}

static void rig_unmask(struct irq_data *data)
{
	gpiochip_enable_irq(&chip, irqd_to_hwirq(data));
	masked &= ~BIT(irqd_to_hwirq(data));
}

static int rig_type(struct irq_data *data, unsigned int type)
{
	__assign_bit(irqd_to_hwirq(data), &rising, type & IRQ_TYPE_EDGE_RISING);
	__assign_bit(irqd_to_hwirq(data), &falling, type & IRQ_TYPE_EDGE_FALLING);
	return 0;
}

static const struct irq_chip irqs = {
	.name = "rig",
	.irq_mask = rig_mask,
	.irq_unmask = rig_unmask,
	.irq_set_type = rig_type,
	.flags = IRQCHIP_IMMUTABLE,
	GPIOCHIP_IRQ_RESOURCE_HELPERS,
};

/* Take every edge that is due, in order of time, and be woken for the next. */
static enum hrtimer_restart rig_edges(struct hrtimer *self)
{
	for (;;) {
		struct rig_head edge;
		int k, first = -1;
		bool changed;

		spin_lock(&lock);
		for (k = 0; k < edge_count; k++)
			if (first < 0 || edges[k].time < edges[first].time)
				first = k;
		if (first < 0) {
			spin_unlock(&lock);
			return HRTIMER_NORESTART;
		}
		edge = edges[first];
		if (edge.time > ktime_get_ns()) {
			hrtimer_set_expires(&timer, ns_to_ktime(edge.time));
			spin_unlock(&lock);
			return HRTIMER_RESTART;
		}
		memmove(&edges[first], &edges[first + 1],
			sizeof(edge) * (--edge_count - first));
		changed = !(outputs & BIT(edge.unit)) &&
			  !!(levels & BIT(edge.unit)) != !!edge.value;
		if (changed)
			__assign_bit(edge.unit, &levels, edge.value);
		spin_unlock(&lock);
		if (changed && !(masked & BIT(edge.unit)) &&
		    ((edge.value ? rising : falling) & BIT(edge.unit)))
			generic_handle_domain_irq(chip.irq.domain, edge.unit);
	}
}

/* the program's side */

static struct rig_bus *rig_waiting(void)
{
	int k;

	for (k = 0; k < BUSES; k++)
		if (buses[k].parts && !buses[k].told)
			return &buses[k];
	return NULL;
}

static size_t rig_describe(struct rig_bus *bus, u8 *message)
{
	struct rig_head *head = (void *)message;
	size_t size = sizeof(*head);
	int k;

	*head = (struct rig_head){ RIG_I2C, bus->adapter.nr, bus->count, bus->serial,
				   ktime_get_ns() };
	for (k = 0; k < bus->count; k++) {
		struct i2c_msg *part = &bus->parts[k];
		struct rig_part *shown = (void *)(message + size);
		size_t bytes = part->flags & I2C_M_RD ? 0 : part->len;

		if (size + sizeof(*shown) + bytes > BYTES)
			return 0;
		*shown = (struct rig_part){ part->addr, part->flags, part->len };
		size += sizeof(*shown);
		memcpy(message + size, part->buf, bytes);
		size += bytes;
	}
	return size;
}

static ssize_t rig_read(struct file *file, char __user *to, size_t room, loff_t *at)
{
	static u8 message[BYTES]; /* one program, one reader */
	struct rig_bus *bus;
	size_t size = 0;
	int error;

	error = wait_event_interruptible(news, (file->f_flags & O_NONBLOCK) ||
						       queue_in != queue_out || rig_waiting());
	if (error)
		return error;
	spin_lock_irq(&lock);
	if (queue_in != queue_out) {
		size = sizeof(struct rig_head);
		memcpy(message, &queue[queue_out++ % QUEUE], size);
	} else if ((bus = rig_waiting())) {
		size = rig_describe(bus, message);
		bus->told = true;
	}
	spin_unlock_irq(&lock);
	if (!size)
		return -EAGAIN;
	if (size > room)
		return -EMSGSIZE;
	return copy_to_user(to, message, size) ? -EFAULT : size;
}

static int rig_answer(struct rig_head *head, const u8 *bytes, size_t size)
{
	int k, number;

	for (number = 0; number < BUSES; number++) {
		struct rig_bus *bus = &buses[number];

		if (bus->adapter.nr != head->unit || bus->serial != head->serial || !bus->parts)
			continue;
		for (k = 0; k < bus->count && head->value >= 0; k++) {
			struct i2c_msg *part = &bus->parts[k];

			if (!(part->flags & I2C_M_RD))
				continue;
			if (size < part->len)
				return -EINVAL;
			memcpy(part->buf, bytes, part->len);
			bytes += part->len;
			size -= part->len;
		}
		bus->result = head->value;
		bus->done = true;
		wake_up(&bus->answered);
		return 0;
	}
	return 0; /* too late: nobody waits any more */
}

static ssize_t rig_write(struct file *file, const char __user *from, size_t size, loff_t *at)
{
	static u8 message[BYTES];
	struct rig_head *head = (void *)message;
	u64 first = KTIME_MAX;
	int error = 0, k;

	if (size < sizeof(*head) || size > BYTES)
		return -EINVAL;
	if (copy_from_user(message, from, size))
		return -EFAULT;
	spin_lock_irq(&lock);
	if (head->kind == RIG_I2C)
		error = rig_answer(head, message + sizeof(*head), size - sizeof(*head));
	else if (head->kind != RIG_GPIO || head->unit >= LINES)
		error = -EINVAL;
	else if (edge_count == EDGES)
		error = -ENOSPC;
	else {
		edges[edge_count++] = *head;
		for (k = 0; k < edge_count; k++)
			first = min(first, edges[k].time);
	}
	spin_unlock_irq(&lock);
	if (first < KTIME_MAX)
		hrtimer_start(&timer, ns_to_ktime(first), HRTIMER_MODE_ABS_HARD);
	return error ?: size;
}

static __poll_t rig_poll(struct file *file, poll_table *table)
{
	poll_wait(file, &news, table);
	return EPOLLOUT | (queue_in != queue_out || rig_waiting() ? EPOLLIN : 0);
}

static int rig_open(struct inode *inode, struct file *file)
{
	int error = 0, line;

	spin_lock_irq(&lock);
	if (held)
		error = -EBUSY;
	else {
		held = true;
		queue_in = queue_out = edge_count = 0;
		for (line = 0; line < LINES; line++) /* as they are: a newcomer knows all outputs */
			if (outputs & BIT(line))
				queue[queue_in++] = (struct rig_head){ RIG_GPIO, line,
					!!(levels & BIT(line)), 0, ktime_get_ns() };
	}
	spin_unlock_irq(&lock);
	return error;
}

static int rig_release(struct inode *inode, struct file *file)
{
	held = false;
	return 0;
}

static const struct file_operations operations = {
	.owner = THIS_MODULE,
	.open = rig_open,
	.release = rig_release,
	.read = rig_read,
	.write = rig_write,
	.poll = rig_poll,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "rig",
	.fops = &operations,
};

static int __init rig_init(void)
{
	struct platform_device *board = platform_device_register_simple("rig", -1, NULL, 0);
	int k, error;

	if (IS_ERR(board))
		return PTR_ERR(board);
	hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
	timer.function = rig_edges;
	for (k = 0; k < BUSES; k++) {
		struct i2c_adapter *adapter = &buses[k].adapter;

		init_waitqueue_head(&buses[k].answered);
		snprintf(adapter->name, sizeof(adapter->name), "rig bus %d", numbers[k]);
		adapter->owner = THIS_MODULE;
		adapter->algo = &algorithm;
		adapter->nr = numbers[k];
		adapter->timeout = HZ;
		adapter->dev.parent = &board->dev;
		i2c_set_adapdata(adapter, &buses[k]);
		error = i2c_add_numbered_adapter(adapter);
		if (error)
			return error;
	}
	chip.label = "pinctrl-rig";
	chip.parent = &board->dev;
	chip.owner = THIS_MODULE;
	chip.base = -1;
	chip.ngpio = LINES;
	chip.get = rig_get;
	chip.set = rig_set;
	chip.direction_input = rig_input;
	chip.direction_output = rig_output;
	chip.get_direction = rig_direction;
	chip.set_config = rig_config;
	gpio_irq_chip_set_chip(&chip.irq, &irqs);
	chip.irq.default_type = IRQ_TYPE_NONE;
	chip.irq.handler = handle_simple_irq;
	error = gpiochip_add_data(&chip, NULL);
	return error ?: misc_register(&device);
}
late_initcall(rig_init);
