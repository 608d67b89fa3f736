#include "floor.h"

#include <math.h>

static const float BEYOND = 6.0f;       /* m, stands for a floor that the beam does not meet */
static const float RISE = 0.3f;         /* m/s: a trunk swings within a stride; its lowest counts */
static const float DOUBT = 0.05f;       /* rad, 3 degrees: how well the belt's pitch is known */
static const float DOUBT_ROUGH = 0.14f; /* rad, 8: and a steady lean, taken for how the belt sits */
static const float ROUGH = 2.0f;        /* first echoes from there that tell a rough floor */
static const float MARGIN = 0.5f;       /* m before that, counted too */
static const float MEMORY = 5.0f;       /* s */

void rg_floor_init(rg_floor *s)
{
    *s = (rg_floor){.from = BEYOND, .rough_from = BEYOND};
}

/* Where the beam's lower edge meets the floor. A rearward beam drops as the trunk leans back. */
static float meets(const rg_params *p, float lean, float doubt)
{
    float down = p->beam_half_angle + doubt - p->ranger_pitch - lean;
    return down > 0.0f ? fminf(p->ranger_height / sinf(fminf(down, 1.57f)), BEYOND) : BEYOND;
}

void rg_floor_step(rg_floor *s, const rg_params *params, float lean, float dt)
{
    s->rough_from = meets(params, lean, DOUBT_ROUGH);
    float now = s->rough > ROUGH ? s->rough_from : meets(params, lean, DOUBT);
    s->from = fminf(now, s->from + RISE * dt);
}

void rg_floor_ping(rg_floor *s, float since)
{
    s->rough *= expf(-since / MEMORY);
}

void rg_floor_first_echo(rg_floor *s, float range)
{
    if (range > s->rough_from - MARGIN)
        s->rough += 1.0f;
}
