/** What the probe of the icon stream asks for: names outside of all tasks, which pre-training has taught. */
import { list } from "./tasks.ts";

/** The 200 names. Of each one drawing is held out of pre-training, and tells how much of what a model knew before the stream it still knows. */
export const probeNames: readonly string[] = list(`
    grinning face, beaming face with smiling eyes, face with tears of joy, smiling face with smiling eyes, face blowing a kiss,
    kissing face with smiling eyes, squinting face with tongue, thinking face, expressionless face, face with rolling eyes, pensive face,
    sleeping face, nauseated face, exploding head, face with monocle, frowning face, flushed face, anxious face with sweat,
    face screaming in fear, downcast face with sweat, enraged face, angry face with horns, pile of poo, ghost, grinning cat,
    cat with wry smile, pouting cat, love letter, growing heart, heart decoration, yellow heart, black heart, anger symbol, dashing away,
    left speech bubble, waving hand, vulcan salute, sign of the horns, backhand index pointing up, thumbs up, left-facing fist,
    open hands, nail polish, ear, tongue, girl, old woman, person gesturing OK, person facepalming, detective, princess,
    person with veil, Mrs. Claus, person walking, person in suit levitating, skier, person rowing boat, person biking,
    person playing water polo, person in bed, kiss, busts in silhouette, dog face, leopard, cow face, boar, two-hump camel, hamster,
    rooster, dove, fish, squid, bouquet, rose, sunflower, evergreen tree, sheaf of rice, maple leaf, melon, chestnut, stuffed flatbread,
    green salad, steaming bowl, dango, candy, sake, clinking glasses, spoon, globe showing Americas, map of Japan, desert, houses,
    post office, department store, shinto shrine, cityscape at dusk, barber pole, metro, mountain railway, minibus,
    sport utility vehicle, motorway, horizontal traffic light, ferry, airplane arrival, bellhop bell, stopwatch, waxing crescent moon,
    waning crescent moon, full moon face, cloud with lightning and rain, fog, umbrella on ground, sparkles, Japanese dolls, ribbon,
    military medal, 3rd place medal, field hockey, goal net, water pistol, heart suit, flower playing cards, kimono, clutch bag,
    woman's boot, muted speaker, speaker high volume, bell with slash, studio microphone, telephone receiver, computer mouse, dvd,
    camera with flash, flashlight, green book, notebook, scroll, bookmark, euro banknote, envelope, outbox tray,
    open mailbox with raised flag, black nib, memo, calendar, card index, clipboard, linked paperclips, file cabinet, old key, dagger,
    gear, alembic, couch and lamp, funeral urn, potable water, restroom, passport control, warning, no bicycles, no pedestrians,
    biohazard, down-right arrow, up-left arrow, left arrow curving right, counterclockwise arrows button, SOON arrow, om, yin yang,
    peace symbol, Taurus, Virgo, Capricorn, shuffle tracks button, fast-forward button, fast reverse button, downwards button,
    record button, dim button, mobile phone off, plus, exclamation question mark, red exclamation mark, medical symbol, name badge,
    check box with check, curly loop, eight-pointed star, trade mark, input numbers, AB button (blood type), FREE button, NEW button,
    P button, red circle, black large square, red triangle pointed up, white square button, crossed flags`);
